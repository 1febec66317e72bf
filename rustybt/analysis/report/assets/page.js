(function () {
  "use strict";
  var root = document.documentElement;
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var timed = ["equity", "rolling", "positions", "exposure"].filter(function (name) { return figures[name]; });
  var whole = figures.equity ? figures.equity.layout.xaxis.range : null, zoom = null, chosen = null, busy = false;
  // Two rows of ten hues each, alternating light and deep so that neighbours in a stack differ in lightness too.
  var series = ["#4477aa", "#e0a33e", "#228a76", "#c2673e", "#8b6bb1", "#7fb4d6", "#9a8f3c", "#b5517a", "#5f7d8c", "#d6b98c",
    "#2f5597", "#a9c46c", "#136f63", "#e2937a", "#5e4b8b", "#a3d5d3", "#6f6a2a", "#d99abb", "#39505e", "#b08d57"];

  function themed() { return root.getAttribute("data-theme") === "dark" ? "dark" : "light"; }
  function setTheme(name) {
    root.setAttribute("data-theme", name);
    document.getElementById("theme").textContent = name === "dark" ? "Light" : "Dark";
  }
  setTheme(dark.matches ? "dark" : "light");

  function colours() {
    var style = getComputedStyle(root);
    return function (token) {
      var name = token.slice(1);
      if (name.indexOf("series-") === 0) { return series[Number(name.slice(7)) % series.length]; }
      return style.getPropertyValue("--" + name).trim() || "#888";
    };
  }
  function resolved(value, colour) {
    if (typeof value === "string") { return value.charAt(0) === "$" ? colour(value) : value; }
    if (Array.isArray(value)) { return value.map(function (item) { return resolved(item, colour); }); }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = TEXT[key] ? value[key] : resolved(value[key], colour); });
      return copy;
    }
    return value;
  }
  // Names, dates and labels are data: a name that begins with a dollar sign is not a colour.
  var TEXT = { name: 1, legendgroup: 1, text: 1, x: 1, y: 1, z: 1, base: 1, ticktext: 1, tickvals: 1, customdata: 1, hovertemplate: 1 };

  function axis(given, colour) {
    var base = {
      gridcolor: colour("$grid"), linecolor: colour("$line"), zerolinecolor: colour("$line"), tickcolor: colour("$line"), zeroline: false,
      automargin: true, tickfont: { size: 12, color: colour("$muted") }, hoverformat: given.type === "date" ? "%Y-%m-%d" : undefined
    };
    Object.keys(given).forEach(function (key) { base[key] = given[key]; });
    if (base.title) { base.title = { text: given.title.text, font: { size: 12, color: colour("$muted") }, standoff: 8 }; }
    if (base.type === "date") { base.showgrid = false; }
    return base;
  }
  function layoutOf(given, colour) {
    var layout = resolved(given, colour);
    ["xaxis", "yaxis", "yaxis2"].forEach(function (name) { if (layout[name]) { layout[name] = axis(layout[name], colour); } });
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("$ink") };
    layout.margin = { l: 10, r: 10, t: 8, b: 8 };
    layout.legend = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12, color: colour("$muted") } };
    layout.hoverlabel = { bgcolor: colour("$panel"), bordercolor: colour("$line"), font: { color: colour("$ink"), size: 12 } };
    layout.dragmode = "zoom";
    return layout;
  }
  function draw(name) {
    var place = document.getElementById("chart-" + name);
    if (!place) { return; }
    var colour = colours();
    var figure = figures[name];
    var layout = layoutOf(figure.layout, colour);
    if (figure.layout.height) { place.style.height = figure.layout.height + "px"; }
    if (zoom && timed.indexOf(name) >= 0) { layout.xaxis.range = zoom.slice(); }
    if (name === "equity" && chosen) { layout.yaxis.type = chosen; }
    window.Plotly.react(place, resolved(figure.data, colour), layout, { displayModeBar: false, displaylogo: false });
  }
  // Watching the places and not the window also catches a scroll bar that appears, a fold and a printer.
  var waiting = {};
  var watcher = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var place = entry.target, layout = place._fullLayout;
      clearTimeout(waiting[place.id]);
      if (layout && Math.abs(layout.width - entry.contentRect.width) > 1) {
        waiting[place.id] = setTimeout(function () { window.Plotly.Plots.resize(place); }, 40);
      }
    });
  });
  function watch(name) {
    var place = document.getElementById("chart-" + name);
    if (place) { watcher.observe(place); }
  }
  function drawAll() { Object.keys(figures).forEach(draw); }

  // All time charts share one zoom; a double click gives the whole run back.
  function follow(name) {
    var place = document.getElementById("chart-" + name);
    if (!place || !place.on) { return; }
    place.on("plotly_relayout", function (change) {
      if (busy) { return; }
      var range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (change["xaxis.autorange"] === true) { range = whole || []; }
      if (range[0] === undefined) { return; }
      zoom = range.slice();
      busy = true;
      var done = timed.map(function (other) {
        return window.Plotly.relayout(document.getElementById("chart-" + other), { "xaxis.range": zoom.slice() });
      });
      Promise.all(done).then(function () { busy = false; }, function () { busy = false; });
    });
  }

  function switchScale() {
    if (!figures.equity) { return; }
    var buttons = Array.prototype.slice.call(document.querySelectorAll("[data-scale]"));
    var solvent = figures.equity.data.filter(function (line) { return line.yaxis !== "y2"; })
      .every(function (line) { return line.y.every(function (value) { return value === null || value > 0; }); });
    buttons.forEach(function (button) {
      if (button.dataset.scale === "log" && !solvent) { button.disabled = true; button.title = "Equity is not positive everywhere"; }
      button.addEventListener("click", function () {
        chosen = button.dataset.scale;
        buttons.forEach(function (other) { other.setAttribute("aria-pressed", String(other === button)); });
        window.Plotly.relayout(document.getElementById("chart-equity"), { "yaxis.type": chosen, "yaxis.autorange": true });
      });
    });
  }

  function tradeTable() {
    var table = document.getElementById("trade-table");
    if (!table) { return; }
    var body = table.tBodies[0], heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var rows = Array.prototype.slice.call(body.rows);
    rows.forEach(function (row) { row._text = row.textContent.toLowerCase(); });
    function markLate() {
      var shown = 0;
      rows.forEach(function (row) { row.classList.toggle("late", !row.hidden && ++shown > 60); });
    }
    markLate();
    heads.forEach(function (head, column) {
      head.firstElementChild.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending", numeric = head.classList.contains("n");
        heads.forEach(function (other) { other.setAttribute("aria-sort", "none"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        rows.sort(function (a, b) {
          var x = a.cells[column].dataset.k, y = b.cells[column].dataset.k;
          if (numeric) { if (x === "" || y === "") { return (x === "") - (y === ""); } return up ? x - y : y - x; }
          return x < y ? (up ? -1 : 1) : x > y ? (up ? 1 : -1) : 0;
        });
        rows.forEach(function (row) { body.appendChild(row); });
        markLate();
      });
    });
    var found = document.getElementById("found"), whole = found.textContent;
    document.getElementById("find").addEventListener("input", function (event) {
      var words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean), count = 0;
      rows.forEach(function (row) {
        var hit = words.every(function (word) { return row._text.indexOf(word) >= 0; });
        row.hidden = !hit;
        count += hit ? 1 : 0;
      });
      markLate();
      found.textContent = words.length ? count.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " trades." : whole;
    });
  }

  drawAll();
  Object.keys(figures).forEach(watch);
  timed.forEach(follow);
  switchScale();
  tradeTable();
  document.getElementById("theme").addEventListener("click", function () { setTheme(themed() === "dark" ? "light" : "dark"); drawAll(); });
  dark.addEventListener("change", function (event) { setTheme(event.matches ? "dark" : "light"); drawAll(); });

  var before = null;
  window.addEventListener("beforeprint", function () {
    before = themed();
    setTheme("light");
    drawAll();
    Object.keys(figures).forEach(function (name) {
      var place = document.getElementById("chart-" + name);
      if (!place) { return; }
      // The print sheet of the style says the same heights; a printer gives no time to measure.
      var height = figures[name].layout.height || (place.classList.contains("tall") ? 380 : place.classList.contains("mid") ? 300 : 210);
      window.Plotly.relayout(place, { width: Math.min(place.clientWidth, place.closest(".two") ? 330 : 690), height: height });
    });
  });
  window.addEventListener("afterprint", function () {
    setTheme(before || themed());
    drawAll();
    Object.keys(figures).forEach(function (name) {
      var place = document.getElementById("chart-" + name);
      if (place) { window.Plotly.relayout(place, { width: null, height: figures[name].layout.height || null, autosize: true }); }
    });
  });
}());
