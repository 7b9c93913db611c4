// Follows files that are being prepared. Without this file the link to the same page does it.

const SECONDS = 2;

async function look() {
  const list = document.getElementById("fichiers");
  if (!list?.hasAttribute("data-waits") || document.hidden) return;
  let answer;
  try {
    answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  } catch {
    return; // the next time may find it
  }
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("fichiers");
  if (!found) return;
  const bars = (of) => [...of.querySelectorAll("progress")];
  const [before, after] = [bars(list), bars(found)];
  if (before.length === after.length) {
    // Only what moves is replaced: what has the focus keeps it.
    before.forEach((bar, at) => {
      bar.value = after[at].value;
      bar.previousElementSibling.replaceWith(document.adoptNode(after[at].previousElementSibling));
    });
    return;
  }
  const said = document.getElementById("prets");
  const focused = document.activeElement?.closest("#fichiers") !== null;
  list.replaceWith(document.adoptNode(found));
  said.textContent = said.dataset.ready;
  if (focused) document.getElementById("contenu").focus();
}

setInterval(look, SECONDS * 1000);
