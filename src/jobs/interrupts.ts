// Whether a second Ctrl-C is to end this process even while its event loop does not turn: the wish of a command, which
// the thread of its job carries out, as it has the addon.
let wanted = false;

/** For a command that listens to SIGINT. */
export const endOnSecondInterrupt = (): void => {
  wanted = true;
};

/** For {@link runJob}. */
export const endsOnSecondInterrupt = (): boolean => wanted;
