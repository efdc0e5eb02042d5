/* What the browser does by itself: links without reloading, cells of grids, titles and focus after a change of view. */
(function () {
  "use strict";

  /* A link of ours changes the address; dcc.Location sees it and the page follows. */
  document.addEventListener("click", function (event) {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.hasAttribute("download") || link.target || link.classList.contains("reload") || link.origin !== location.origin) return;
    if (link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    if (link.href === location.href) return;
    history.pushState({}, "", link.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  });

  /* Enter on a cell of a grid follows the link in it. */
  document.addEventListener("keydown", function (event) {
    const cell = event.key === "Enter" && event.target.closest && event.target.closest(".ag-cell");
    const link = cell && cell.querySelector("a[href]");
    if (link && event.target === cell) link.click();
  });

  /* Details are open on paper. */
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open])").forEach(function (one) {
      one.dataset.closed = "1";
      one.open = true;
    });
  });
  window.addEventListener("afterprint", function () {
    document.querySelectorAll("details[data-closed]").forEach(function (one) {
      delete one.dataset.closed;
      one.open = false;
    });
  });

  /* The filter a reader used is focused again when the page it made has come. */
  let lastField = null;
  document.addEventListener("focusin", function (event) {
    lastField = (event.target.id || "").includes('"filter"') ? event.target.id : null;
  });

  let lastPath = null;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    opora: {
      arrived: function (shown) {
        if (!shown) return window.dash_clientside.no_update;
        document.title = shown.title;
        const field = lastField;
        if (lastPath === shown.path && field) {
          setTimeout(function () {
            const again = document.getElementById(field);
            if (!again || document.activeElement !== document.body) return;
            again.focus({ preventScroll: true });
            if (again.type === "text" && !again.readOnly) again.setSelectionRange(again.value.length, again.value.length);
          }, 50);
        }
        if (lastPath !== null && lastPath !== shown.path) {
          window.scrollTo(0, 0);
          setTimeout(function () {
            const title = document.getElementById("title");
            if (title) title.focus({ preventScroll: true });
          }, 50);
        }
        if (location.hash) {
          setTimeout(function () {
            const target = document.getElementById(location.hash.slice(1));
            if (target) target.scrollIntoView();
          }, 100);
        }
        lastPath = shown.path;
        return shown.path;
      },
    },
  });
})();
