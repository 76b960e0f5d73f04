/* Starts LiteRT.js's WebAssembly, in place of the package that it imports for that: the page has fetched and compiled the module
   already, to show how far it is, and what it has to say goes where only developers look. */

export const wasm = { module: null };

/** As @litertjs/wasm-utils: load the script, run the factory that it leaves, wrap what comes out. */
export async function createWasmLib(LiteRt, url) {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new TypeError(`${url} cannot be fetched`)));
    document.head.append(script);
  });
  const started = await new Promise((resolve, reject) => {
    const instantiateWasm = (imports, receive) => {
      WebAssembly.instantiate(wasm.module, imports).then((instance) => receive(instance, wasm.module), reject);
      return {};
    };
    self.ModuleFactory({ instantiateWasm, print: console.debug, printErr: console.debug }).then(resolve, reject);
  });
  self.ModuleFactory = undefined;
  return new LiteRt(started);
}
