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

/* A number times ten to the power, halves rounded up on its decimal digits as `opora/russian.py` does. */
function halfUp(value, power, decimals) {
  const [digits, exponent] = String(value).split("e");
  const moved = Number(digits + "e" + (Number(exponent || 0) + power + decimals));
  return Number((Math.sign(moved) * Math.round(Math.abs(moved)) || 0) + "e" + -decimals);
}

dagfuncs.oporaNumber = function (value, decimals) {
  if (value == null) return "—";
  const words = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return halfUp(value, 0, decimals).toLocaleString("ru-RU", words).replace(/\u202f/g, "\u00a0").replace("-", "\u2212");
};

dagfuncs.oporaShare = function (value, decimals) {
  return value == null ? "—" : dagfuncs.oporaNumber(halfUp(value, 2, decimals), decimals) + "\u00a0%";
};
