// What the pages of the tests call. Each returns plain values.
const bytes = (text) => new TextEncoder().encode(text);
const creation = (more) => ({
  challenge: bytes("0123456789abcdef"), rp: { name: "Test" }, user: { id: bytes("ada"), name: "ada", displayName: "Ada" },
  pubKeyCredParams: [{ type: "public-key", alg: -7 }], authenticatorSelection: { residentKey: "required" }, ...more,
});
const asking = (more) => ({ challenge: bytes("0123456789abcdef"), ...more });
const clientData = (c) => JSON.parse(new TextDecoder().decode(c.response.clientDataJSON));
const failed = (e) => ({ name: e.name, dom: e instanceof DOMException, type: e instanceof TypeError, message: e.message });
async function create(more, outside) {
  try { return { data: clientData(window.made = await navigator.credentials.create({ publicKey: creation(more), ...outside })) }; } catch (e) { return failed(e); }
}
async function get(more, outside) {
  try { return { data: clientData(window.used = await navigator.credentials.get({ publicKey: asking(more), ...outside })) }; } catch (e) { return failed(e); }
}
