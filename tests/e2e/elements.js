// What the page shows, each kind of element once, as far as rules of accessibility ask of it: what it is, what it says of itself, what
// names it, what stands around it, and in which colours it writes on which ground. Two elements alike in all this pass or fail alike.
// The page keeps the first of each kind: `window.onlyOf(kinds)` is what axe takes for these, and not what is in them.
() => {
  const CONTROL = "a, button, input, select, textarea, summary";
  const HOLDER = "ul, ol, dl, table, thead, tbody, tfoot, tr, select";
  const FREE = /^aria-(label|description|roledescription|valuetext)$/;
  const POINTS = /^(for|aria-(labelledby|describedby|controls|owns|details|errormessage|activedescendant|flowto))$/;
  const SAID = /^(aria-.*|for|alt|title|placeholder|lang|tabindex|autocomplete|scope|headers|disabled|hidden|required|checked|open|readonly)$/;

  const identifiers = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const known = new Set(identifiers);
  const twice = new Set(identifiers.filter((id, index) => identifiers.indexOf(id) !== index));

  const grounds = new Map();
  const ground = (element) => {
    if (!element) return "";
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
      const clear = /^rgba\(.*, 0\)$|^transparent$/.test(backgroundColor) && backgroundImage === "none";
      grounds.set(element, (clear ? ground(element.parentElement) : backgroundColor + backgroundImage) + (opacity === "1" ? "" : opacity));
    }
    return grounds.get(element);
  };

  const said = (element) =>
    element
      .getAttributeNames()
      .filter((name) => SAID.test(name))
      .map((name) => {
        const value = element.getAttribute(name).trim();
        if (POINTS.test(name)) return `${name} ${value.split(/\s+/).every((id) => known.has(id))}`;
        if (FREE.test(name) || /^(alt|title|placeholder|headers)$/.test(name)) return `${name} ${value !== ""}`;
        return `${name} ${value.replace(/\d+/g, "0")}`;
      })
      .sort();

  const drawn = (element) => {
    const writes = element.matches(CONTROL) || [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const { color, fontSize, fontWeight, overflowX, overflowY, textDecorationLine } = getComputedStyle(element);
    const facts = [];
    if (writes) facts.push(color, ground(element), parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24));
    if (element.matches("a")) facts.push(textDecorationLine, getComputedStyle(element.parentElement).color);
    if (element.matches(CONTROL)) {
      const { width, height } = element.getBoundingClientRect();
      facts.push(width < 24 || height < 24);
    }
    const over = (flow, size, shown) => /auto|scroll/.test(flow) && size > shown;
    if (over(overflowX, element.scrollWidth, element.clientWidth) || over(overflowY, element.scrollHeight, element.clientHeight))
      facts.push(`scrolls ${element.querySelector(`${CONTROL}, [tabindex]`) !== null}`);
    return facts;
  };

  const kind = (element) => {
    const parent = element.parentElement;
    const within = parent?.closest("a, button, summary, label, [aria-hidden=true], [role=img]");
    const shown = element.checkVisibility({ visibilityProperty: true });
    const facts = [
      element.localName,
      [...element.classList].sort().join("."),
      element.getAttribute("role"),
      element.getAttribute("type"),
      ...said(element),
      parent?.matches(HOLDER) ? parent.localName : "",
      parent?.getAttribute("role"),
      within?.localName,
      element.labels?.length,
      twice.has(element.id),
      shown,
    ];
    if (element.matches("a, button, summary, label, legend, caption, th, h1, h2, h3")) facts.push(element.textContent.trim() !== "");
    if (element.matches("table")) facts.push(...["caption", "th", "td"].filter((part) => element.querySelector(part)));
    if (element.matches("meta")) facts.push(element.name, element.httpEquiv, element.name === "viewport" ? element.content : "");
    if (shown) facts.push(...drawn(element));
    return facts.join("|");
  };

  const first = new Map();
  for (const element of document.querySelectorAll("html, meta, body, body *")) {
    const its = kind(element);
    if (!first.has(its)) first.set(its, element);
  }
  window.onlyOf = (kinds) => {
    const include = kinds.map((its) => first.get(its));
    const exclude = include.flatMap((element) => [...element.children]).filter((child) => !include.includes(child));
    return { include, exclude };
  };
  return [...first.keys()];
}
