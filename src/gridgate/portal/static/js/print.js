// Shows the buttons that print the page. Without this file the browser's own command prints the same.

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
