import CKernels
import Tensors

/// Weights as a convolution wants them.
struct PackedWeight {
  var primitive: LibraryPrimitive
  var buffer: Int
}

extension Planner {
  func planConvolution(
    _ index: Int, _ convolution: EngineConvolution, _ tail: ProductTail
  ) throws(EngineError) {
    let node = graph.nodes[index]
    let bias = tail.bias.map { buffer($0) }
    let made = convolution.primitive(
      bias: bias != nil, relu: tail.relu, threads: options.threads)
    guard let made else { throw .noPrimitive("the \(convolution.label)", node.origin) }
    let sources = node.operands.map { reads.source($0, readBy: index) }
    let first = buffer(sources[0])
    let label = convolution.label + (bias == nil ? "" : " + bias") + (tail.relu ? ", relu" : "")
      + " (\(made.implementation))"
    var call = PlannedCall(primitive: made)
    switch convolution.form {
    case .forward:
      call.x = first
      call.weight = try weight(sources[1], for: made, node)
      call.bias = bias
      call.y = resultBuffer(tail.result, reading: [first, call.weight!] + (bias.map { [$0] } ?? []))
    case .data:
      call.y = first
      call.weight = try weight(sources[1], for: made, node)
      call.x = resultBuffer(index, reading: [first, call.weight!])
    case .weights:
      call.x = first
      call.y = buffer(sources[1])
      call.weight =
        made.takesPlainWeights
        ? resultBuffer(index, reading: [call.x!, call.y!]) : newBuffer(made.weightCount)
    }
    call.scratch = scratch(made)
    let result =
      switch convolution.form {
      case .forward: call.y!
      case .data: call.x!
      case .weights: call.weight!
      }
    call.written = [result] + (call.scratch.map { [$0] } ?? [])
    call.operations = 2 * convolution.work
    add(.call(call), label, node.origin)
    if convolution.form == .weights, !made.takesPlainWeights {
      let result = resultBuffer(index, reading: [])
      try pack(made, from: call.weight!, to: result, back: true, node)
    }
  }

  private func scratch(_ primitive: LibraryPrimitive) -> Int? {
    primitive.scratchCount > 0 ? newBuffer(primitive.scratchCount) : nil
  }

  /// The weights that a node holds in the form that a convolution wants.
  private func weight(
    _ index: Int, for convolution: LibraryPrimitive, _ node: EngineNode
  ) throws(EngineError) -> Int {
    let plain = buffer(index)
    if convolution.takesPlainWeights { return plain }
    let known = packed[index, default: []].first { $0.primitive.hasEqualWeights(convolution) }
    if let known { return known.buffer }
    let made = PackedWeight(primitive: convolution, buffer: newBuffer(convolution.weightCount))
    try pack(convolution, from: plain, to: made.buffer, back: false, node)
    packed[index, default: []].append(made)
    return made.buffer
  }

  private func pack(
    _ convolution: LibraryPrimitive, from: Int, to: Int, back: Bool, _ node: EngineNode
  ) throws(EngineError) {
    let handle = lgc_packing_create(convolution.handle, back ? 1 : 0, Int32(options.threads))
    let label = back ? "unpack weights" : "pack weights"
    guard let handle else { throw .noPrimitive("the order of weights", node.origin) }
    let primitive = LibraryPrimitive(handle)
    var call = PlannedCall(primitive: primitive, x: from, y: to)
    call.scratch = scratch(primitive)
    call.written = [to] + (call.scratch.map { [$0] } ?? [])
    add(.call(call), label, node.origin)
  }
}

extension EngineConvolution {
  var label: String {
    let (x, y) = (axes.map(\.extent).shapeText, axes.map(\.outputs).shapeText)
    let kind =
      switch form {
      case .forward: "convolution"
      case .data: "convolution data"
      case .weights: "convolution weights"
      }
    let arrangement =
      xArrangement == yArrangement
      ? xArrangement.name : "\(xArrangement.name), \(yArrangement.name)"
    return "\(kind) \(batch)×\(inputs)×\(x) \(outputs)×\(y) k\(axes.map(\.kernel).shapeText)"
      + (groups == 1 ? "" : " g\(groups)") + " \(arrangement)"
  }
}

extension Arrangement {
  fileprivate var name: String {
    switch self {
    case .channelsFirst: "channels first"
    case .channelsLast: "channels last"
    case .channelsBlocked: "channels in blocks"
    }
  }
}

extension EngineError {
  fileprivate static func noPrimitive(_ what: String, _ origin: Origin?) -> EngineError {
    EngineError("oneDNN has no code for \(what)", origin: origin)
  }
}
