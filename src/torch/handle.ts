/** A tensor's number in the addon's table; see native/handle_table.h. */
export type Handle = number;
