// What a person decided and the kernel has not confirmed is written down in the browser until it
// has: a page that is closed, or a kernel that dies, takes no decision with it.
//
//   const keeper = openKeeper(client);
//   keeper.open(shelf, types)   the session's name, and which messages are decisions
//   keeper.keep(messages)       those among them that are decisions, with { seq, time }; the
//                               time is the kernel's, with whose labels it will be compared
//   keeper.drop(seq)            it was answered
//   keeper.left()               what other views of the session have kept, oldest first
//   keeper.clear(left)          the kernel has taken them
//
// A view that is still open may have kept some of what it left() finds; the kernel stores each
// event_id once.

function openKeeper(client) {
  let prefix = null;
  let kept = new Set(); // types
  const own = new Set(); // seqs of ours that are written down

  // a browser may refuse: it is full, or told to store nothing
  function attempt(work, otherwise) {
    try {
      return work(window.localStorage);
    } catch (error) {
      console.warn("astronomaly_widgets: the browser keeps nothing", error);
      return otherwise;
    }
  }

  return {
    open(shelf, types) {
      prefix = `astronomaly_widgets/${shelf}/`;
      kept = new Set(types);
    },
    keep(messages) {
      for (const message of messages) {
        if (!kept.has(message.type) || own.has(message.seq)) continue;
        const event_id = `${client}-${message.seq}`;
        attempt((storage) => {
          storage.setItem(prefix + event_id, JSON.stringify({ ...message, event_id }));
          own.add(message.seq);
        });
      }
    },
    drop(seq) {
      if (own.delete(seq)) attempt((storage) => storage.removeItem(`${prefix}${client}-${seq}`));
    },
    left() {
      return attempt((storage) => {
        const names = Object.keys(storage).filter(
          (name) => name.startsWith(prefix) && !name.startsWith(prefix + client),
        );
        const found = names.map((name) => JSON.parse(storage.getItem(name)));
        return found.sort((a, b) => a.time - b.time || a.seq - b.seq);
      }, []);
    },
    clear(left) {
      attempt((storage) => {
        for (const { event_id } of left) storage.removeItem(prefix + event_id);
      });
    },
  };
}
