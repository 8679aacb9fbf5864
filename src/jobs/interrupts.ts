// Whether a second Ctrl-C must end this process even while its event loop is blocked. A command asks for it; the thread
// of the job does it, because that thread has the addon.
let wanted = false;

/** Asks for it, in a command that listens to SIGINT. */
export const endOnSecondInterrupt = (): void => {
  wanted = true;
};

/** Tells {@link runJob} whether a command has asked for it. */
export const endsOnSecondInterrupt = (): boolean => wanted;
