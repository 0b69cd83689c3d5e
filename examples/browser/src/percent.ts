// Parts of a whole as people read them.

/** `98 %` for 0.98, with as many places after the point as are asked for. */
export const percent = (part: number, places = 0): string => `${(100 * part).toFixed(places)} %`
