import CKernels

extension Plan {
  /// Moves the steps that depend on nothing but states which the program leaves alone, such as the
  /// order of a fixed network's weights, out of the run: they run before it when one of these
  /// states has changed. What they compute lies in memory of the program's own.
  mutating func separatePreparation() {
    var isFixed = buffers.map { buffer in
      if case .state(let name) = buffer.place { !updatedStates.contains(name) } else { true }
    }
    for buffer in inputs.values { isFixed[buffer] = false }
    var isPreparation = [Bool](repeating: true, count: steps.count)
    /// Buffer → the first step of the run that touches it.
    var firstUse = [Int](repeating: .max, count: buffers.count)
    // A step that touches a buffer of a later moment is none, and then neither is what it writes,
    // nor is a step that writes over what a step of the run before it reads.
    var changed = true
    while changed {
      changed = false
      for (index, step) in steps.enumerated() where isPreparation[index] {
        let isReady = step.isRepeatable && step.buffers.allSatisfy { isFixed[$0] }
        if isReady, step.written.allSatisfy({ firstUse[$0] > index }) { continue }
        isPreparation[index] = false
        changed = true
        for buffer in step.written { isFixed[buffer] = false }
        for buffer in step.buffers { firstUse[buffer] = min(firstUse[buffer], index) }
      }
    }
    preparation = steps.indices.filter { isPreparation[$0] }.map { steps[$0] }
    steps = steps.indices.filter { !isPreparation[$0] }.map { steps[$0] }
    let touched = Set(preparation.flatMap(\.buffers))
    for buffer in touched {
      if case .state(let name) = buffers[buffer].place { preparedStates.insert(name) }
      if buffers[buffer].place == .arena { buffers[buffer].place = .kept }
    }
  }
}

extension PlannedStep {
  /// Whether equal operands give equal results at every run.
  fileprivate var isRepeatable: Bool { if case .random = work { false } else { true } }

  /// The buffers that the step writes.
  fileprivate var written: [Int] {
    switch work {
    case .loop(let loop):
      loop.instructions.flatMap { instruction -> [Int] in
        let isAdam = instruction.operation == LGC_ADAM.rawValue
        let targets = [instruction.d] + (isAdam ? [instruction.b, instruction.c] : [])
        return targets.compactMap {
          if case .buffer(let buffer) = loop.operands[Int($0)].base { buffer } else { nil }
        }
      } + loop.reductions.map(\.buffer)
    case .product(let product): product.results
    case .call(let call): call.written
    case .copy(let copy): [copy.to]
    case .fold(let fold): [fold.to]
    case .fill(let buffer, _): [buffer]
    case .random(let buffer, _, _): [buffer]
    case .window(let window): [window.positions, window.to].compactMap(\.self)
    case .take(let take): [take.to]
    }
  }
}
