// Messages to the kernel: numbered, answered, sent again. The other end is widgets/_channel.py.
//
//   const channel = openChannel(model, { onpush, onchange });
//   channel.hello().then((reply) => ...)                  once per view; also sent until answered
//   channel.send("score", { object_id, score })           a promise: the kernel's answer, or an
//                                                         Error with the kernel's words
//   channel.waiting()                                     what has no answer yet, oldest first:
//                                                         [{ seq, message, late }]
//   channel.close()                                       when the view goes
//
// What a person did is drawn first and told second: a message leaves after the next frame, so that
// its answer, and all that the notebook does about a busy kernel, do not delay the drawing.
//
// What a person decided (the kernel's hello says which types those are) is kept by keeper.js as long
// as it has no answer, and told by the next view if this one goes before.
//
// onpush(content, buffers) gets what the kernel sends of its own accord. onchange() is called when
// the list of waiting messages, or the lateness of one of them, has changed. The order of messages
// is kept even when some are lost: what is sent again is sent from the oldest on.

const RESEND_AFTER = 2000; // ms without an answer; doubled up to RESEND_AT_MOST
const RESEND_AT_MOST = 30000;
const FRAME_AT_MOST = 40; // ms; no frames come while a tab is hidden

function randomName() {
  // crypto.randomUUID needs https, and hubs are sometimes http
  const words = crypto.getRandomValues(new Uint32Array(3));
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

// Call `then` once, when what has changed by now is on the screen.
function afterFrame(then) {
  let timer = null;
  let called = false;
  const once = () => {
    clearTimeout(timer);
    if (!called) then();
    called = true;
  };
  timer = setTimeout(once, FRAME_AT_MOST);
  requestAnimationFrame(() => setTimeout(once));
}

function openChannel(model, { onpush = () => {}, onchange = () => {} } = {}) {
  const client = randomName();
  const queue = new Map(); // seq -> { seq, message, late, resolve, reject }, in the order of seq
  let lastSeq = 0;
  let greeting = null;
  let timer = null;
  let delay = RESEND_AFTER;
  let closed = false;
  let unsent = []; // messages that leave after the next frame
  const keeper = openKeeper(client);
  let behind = 0; // ms of this browser's clock behind the kernel's, which dates the labels

  function flush() {
    for (const message of unsent.splice(0)) post(message);
  }

  function post(message) {
    const [oldest = lastSeq + 1] = queue.keys();
    try {
      model.send({ ...message, client, oldest });
    } catch (error) {
      // the comm is gone; the message stays in the queue and is shown as not stored
      console.warn("astronomaly_widgets: not sent", error);
    }
  }

  function watch() {
    clearTimeout(timer);
    timer = null;
    if (!closed && (queue.size || greeting)) timer = setTimeout(late, delay);
  }

  function late() {
    delay = Math.min(2 * delay, RESEND_AT_MOST);
    for (const event of queue.values()) event.late = true;
    keepUnanswered();
    again();
    onchange();
  }

  function again() {
    unsent = []; // they are in the queue
    if (greeting) post({ type: "hello" });
    for (const event of queue.values()) post(event.message);
    watch();
  }

  function keepUnanswered() {
    const dated = ({ message, time }) => ({ ...message, time: time + behind });
    keeper.keep([...queue.values()].map(dated));
  }

  // what the views before this one could not tell
  function tellKept({ shelf, decisions, time }) {
    behind = time - Date.now();
    keeper.open(shelf, decisions);
    const left = keeper.left();
    if (left.length) send("kept", { decisions: left }).then(() => keeper.clear(left), () => {});
  }

  function receive(content, buffers) {
    if (content.client === undefined) {
      onpush(content, buffers);
      return;
    }
    if (content.client !== client) return; // the answer to another view of this model
    delay = RESEND_AFTER;
    if (content.type === "hello") {
      const { resolve } = greeting ?? {};
      greeting = null;
      resolve?.(content);
      if (content.shelf) tellKept(content);
      if ([...queue.values()].some((event) => event.late)) again();
    } else if (content.type === "gap") {
      again();
    } else {
      const event = queue.get(content.seq);
      if (!event) return; // answered before
      queue.delete(content.seq);
      keeper.drop(content.seq);
      if (content.type === "nack") event.reject(new Error(content.error));
      else event.resolve(content);
      onchange();
    }
    watch();
  }

  function send(type, fields = {}) {
    const seq = ++lastSeq;
    const time = Date.now();
    return new Promise((resolve, reject) => {
      const message = { ...fields, type, seq };
      queue.set(seq, { seq, message, time, late: false, resolve, reject });
      if (!unsent.length) afterFrame(flush);
      unsent.push(message);
      if (!timer) watch();
      onchange();
    });
  }

  function leave() {
    flush();
    keepUnanswered();
  }

  model.on("msg:custom", receive);
  window.addEventListener("online", again);
  window.addEventListener("pagehide", leave);

  return {
    client,
    hello() {
      return new Promise((resolve) => {
        greeting = { resolve };
        post({ type: "hello" });
        watch();
      });
    },
    send,
    waiting: () => [...queue.values()],
    again,
    close() {
      closed = true;
      leave();
      post({ type: "bye" });
      clearTimeout(timer);
      model.off("msg:custom", receive);
      window.removeEventListener("online", again);
      window.removeEventListener("pagehide", leave);
    },
  };
}
