// A small picture as a data: address. The browser takes two and a half times as long for a page of
// blob: addresses, because it asks another process for each of them.
function pictureUrl({ buffer, byteOffset, byteLength }, mime) {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return `data:${mime};base64,${btoa(text)}`;
}
