/* How cells of grids are drawn. Every text is a text node: a name with markup in it stays a name. */
var dagcomponentfuncs = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

dagcomponentfuncs.OporaLink = function (props) {
  const href = props.data[props.colDef.field + "_href"];
  const text = props.value == null ? "—" : String(props.value);
  const whole = props.data[props.colDef.field + "_full"] || text;
  return href ? React.createElement("a", { href: href, title: whole, tabIndex: -1 }, text) : text;
};

dagcomponentfuncs.OporaPill = function (props) {
  if (props.value == null) return "—";
  const field = props.colDef.field;
  const sign = React.createElement("span", { className: "sign", "aria-hidden": "true" }, props.data[field + "_sign"]);
  return React.createElement("span", { className: "pill " + props.data[field + "_tone"] }, sign, String(props.value));
};

dagcomponentfuncs.OporaLong = function (props) {
  const text = props.value == null || props.value === "" ? "—" : String(props.value);
  return React.createElement("span", { className: "clamped", title: text }, text);
};

var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

dagfuncs.oporaNumber = function (value, decimals) {
  if (value == null) return "—";
  const words = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return Number(value).toLocaleString("ru-RU", words).replace(/\u00a0/g, "\u202f").replace("-", "\u2212");
};

dagfuncs.oporaShare = function (value, decimals) {
  return value == null ? "—" : dagfuncs.oporaNumber(100 * value, decimals) + "\u00a0%";
};
