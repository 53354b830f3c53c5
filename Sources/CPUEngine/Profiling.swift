import CKernels
import Tensors

extension CPUEngine: ProfilingEngine {
  public func measuredPeak(_ options: EngineOptions) throws(EngineError) -> MachinePeak {
    if let failure = lgc_runtime_load() { throw EngineError(String(cString: failure)) }
    let threads = try threads(options)
    return MachinePeak(
      threads: threads, operations: lgc_peak_operations(Int32(threads)),
      bytes: lgc_peak_bytes(Int32(threads)))
  }
}

extension PlannedStep {
  /// The step as profiles show it.
  func profiled(_ buffers: [Buffer]) -> ProfiledStep {
    ProfiledStep(
      label: label, origin: origin, operations: operations, bytes: bytes(buffers))
  }

  /// Of products and convolutions: 2·m·n·k. Element-wise steps count none, they take as long as their data.
  private var operations: Int {
    switch work {
    case .product(let product): 2 * product.rows * product.columns * product.inner
    case .call(let call): call.operations
    default: 0
    }
  }

  /// Every buffer once for each way that the step uses it: a loop reads what it uses and writes what
  /// it computes; a buffer changed in place counts twice.
  private func bytes(_ buffers: [Buffer]) -> Int {
    func bytes(_ indices: some Sequence<Int>) -> Int {
      Set(indices).reduce(0) { $0 + 4 * buffers[$1].count }
    }
    if case .call(let call) = work {
      return bytes([call.x, call.weight, call.bias, call.y].compactMap(\.self))
    }
    guard case .loop(let loop) = work else { return bytes(self.buffers) }
    var read: Set<Int> = []
    var written = Set(loop.reductions.map(\.buffer))
    func buffer(_ operand: Int16) -> Int? {
      guard case .buffer(let buffer) = loop.operands[Int(operand)].base else { return nil }
      return buffer
    }
    for instruction in loop.instructions {
      let sources = [instruction.a, instruction.b, instruction.c].compactMap(buffer)
      // A value that an earlier instruction stored is still in the cache.
      read.formUnion(sources.filter { !written.contains($0) })
      if let target = buffer(instruction.d) { written.insert(target) }
      if instruction.operation == LGC_ADAM.rawValue {
        let changed = [instruction.d, instruction.b, instruction.c].compactMap(buffer)
        read.formUnion(changed)
        written.formUnion(changed)
      }
    }
    for reduction in loop.reductions {
      if let source = buffer(Int16(reduction.source)), !written.contains(source) {
        read.insert(source)
      }
    }
    return bytes(read) + bytes(written)
  }
}
