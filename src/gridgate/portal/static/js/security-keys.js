// Asks the browser for a security key or passkey (Web Authentication), and sends its answer with the form around it.
//
// For each [data-key]: "create" makes a key, "get" asks for one. The challenge is in the page (data-options names its element) or at an
// address (data-src). The answer goes to the hidden field, then the form leaves as it would have. Without this file nothing shows.

for (const place of document.querySelectorAll("[data-key]")) {
  if (window.PublicKeyCredential) start(place);
}

function start(place) {
  const button = place.querySelector("button");
  const field = place.querySelector("input[type=hidden]");
  const error = place.querySelector("[role=alert]");
  const form = place.closest("form");
  place.hidden = false;
  for (const other of document.querySelectorAll("[data-key-unsupported]")) other.hidden = true;

  button.addEventListener("click", async () => {
    error.hidden = true;
    button.disabled = true;
    try {
      const answer = await ask(place.dataset.key, await options(place));
      field.value = JSON.stringify(answer);
      field.disabled = false;
      form.submit();
    } catch (refusal) {
      error.querySelector("span").textContent = refusal.name === "InvalidStateError" ? error.dataset.known : error.dataset.refused;
      error.hidden = false;
      button.disabled = false;
    }
  });
}

async function options({ dataset }) {
  if (dataset.options) return JSON.parse(document.getElementById(dataset.options).textContent);
  const answer = await fetch(dataset.src, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`no challenge: ${answer.status}`);
  return answer.json();
}

async function ask(what, { publicKey }) {
  publicKey.challenge = bytes(publicKey.challenge);
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    publicKey[list] = publicKey[list]?.map((key) => ({ ...key, id: bytes(key.id) }));
  }
  if (what === "get") return written(await navigator.credentials.get({ publicKey }));
  publicKey.user.id = bytes(publicKey.user.id);
  return written(await navigator.credentials.create({ publicKey }));
}

/** A credential as JSON: its buffers in base64url (W3C Web Authentication, §5.1). */
function written(credential) {
  const { id, rawId, type, response } = credential;
  const parts = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = text(response[name]);
  }
  return { id, type, rawId: text(rawId), response: parts, clientExtensionResults: credential.getClientExtensionResults() };
}

function bytes(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
