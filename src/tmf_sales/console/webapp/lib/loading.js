/** Loads what a screen shows: `useLoaded` repeats when its inputs change, and ends what is no longer wanted. */
import { useCallback, useEffect, useState } from "./html.js";

/**
 * @template T
 * @typedef {{value: T | null, error: any, loading: boolean, reload: () => void}} Loaded
 */

/**
 * The last value stays while the next one is loading, so that a screen does not flicker.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {any[]} inputs
 * @returns {Loaded<T>}
 */
export function useLoaded(load, inputs) {
  const [state, setState] = useState(/** @type {{value: T | null, error: any, loading: boolean}} */ ({ value: null, error: null, loading: true }));
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    setState((last) => ({ ...last, loading: true }));
    load(ended.signal).then(
      (value) => ended.signal.aborted || setState({ value, error: null, loading: false }),
      (error) => ended.signal.aborted || setState((last) => ({ ...last, error, loading: false })),
    );
    return () => ended.abort();
  }, [...inputs, round]);
  return { ...state, reload: useCallback(() => setRound((last) => last + 1), []) };
}
