/** The error that something ends in, as `code: message`, or `accepted`. */
async function refusal(start) {
  try {
    await start();
    return 'accepted';
  } catch ({ code, message }) {
    return `${code}: ${message}`;
  }
}

module.exports = { refusal };
