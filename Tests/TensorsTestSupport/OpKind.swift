import Tensors

/// The cases of `Op` without their payloads, so that a test can demand every one of them: a new
/// case of `Op` stops the build here.
public enum OpKind: String, CaseIterable, Sendable {
  case input, state, constant, iota, random, unary, binary, select, exchange, reduce, broadcast
  case reshape, transpose, slice, pad, concatenate, take, put, dot, convolution, window, stopGradient

  public init(_ op: Op) {
    switch op {
    case .input: self = .input
    case .state: self = .state
    case .constant: self = .constant
    case .iota: self = .iota
    case .random: self = .random
    case .unary: self = .unary
    case .binary: self = .binary
    case .select: self = .select
    case .exchange: self = .exchange
    case .reduce: self = .reduce
    case .broadcast: self = .broadcast
    case .reshape: self = .reshape
    case .transpose: self = .transpose
    case .slice: self = .slice
    case .pad: self = .pad
    case .concatenate: self = .concatenate
    case .take: self = .take
    case .put: self = .put
    case .dot: self = .dot
    case .convolution: self = .convolution
    case .window: self = .window
    case .stopGradient: self = .stopGradient
    }
  }
}

/// The mnemonics of all primitives, each unary and binary function counted.
public let everyMnemonic: Set<String> = {
  var words = Set(Unary.allCases.map(\.mnemonic) + Binary.allCases.map(\.mnemonic))
  words.formUnion(Reduce.Kind.allCases.map { Reduce($0, axes: []).mnemonic })
  words.formUnion(Convolution.Form.allCases.map { Convolution($0, axes: []).mnemonic })
  words.formUnion(Window.Form.allCases.map { Window($0, axes: []).mnemonic })
  words.formUnion([
    "take", "put", "exchange",
    "input", "state", "constant", "iota", "random", "select", "broadcast", "reshape", "transpose",
    "slice", "pad", "concatenate", "dot", "stop_gradient",
  ])
  return words
}()
