/** The part of WebAssembly's interface that is used here; Node's types lack it. */
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer
    grow (pages: number): number
  }
  class Module {
    constructor (bytes: Uint8Array)
  }
  class Instance {
    constructor (module: Module)
    readonly exports: unknown
  }
}
