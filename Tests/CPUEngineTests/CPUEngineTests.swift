import Testing

/// All tests of the engine: one after the other, since some measure the memory of the process and
/// all of them use every core.
@Suite(.serialized) struct CPUEngineTests {}
