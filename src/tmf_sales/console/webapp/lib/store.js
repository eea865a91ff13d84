/** A value that components follow: `useStore` renders again when it changes. */
import { useEffect, useState } from "./html.js";

/**
 * @template T
 * @param {T} value
 */
export function createStore(value) {
  /** @type {Set<(value: T) => void>} */
  const followers = new Set();
  return {
    get: () => value,
    /** @param {T} next */
    set(next) {
      value = next;
      for (const follower of [...followers]) follower(next);
    },
    /** @param {(value: T) => void} follower */
    follow(follower) {
      followers.add(follower);
      return () => void followers.delete(follower);
    },
  };
}

/**
 * @template T
 * @param {ReturnType<typeof createStore<T>>} store
 * @returns {T}
 */
export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(() => store.get());
    return store.follow((next) => setValue(() => next));
  }, [store]);
  return value;
}
