import Glibc

/// The bound that a certificate states of one node.
struct OperatorClaim {
  let node: StatedGraph.Node
  let bound: Double
  let evidence: StatedEvidence
}

extension OperatorCheck {
  /// Checks all claims: one after another those that use all cores themselves, then the others beside
  /// each other. Throws the failure of the first node that has one.
  func check(_ claims: [OperatorClaim]) throws(VerificationError) {
    let failures = Failures()
    func run(_ index: Int) {
      let claim = claims[index]
      do throws(VerificationError) {
        try check(claim.node, bound: claim.bound, evidence: claim.evidence)
      } catch {
        failures.add(error, of: index)
      }
    }
    let wide = claims.indices.filter { claims[$0].isWide }
    let narrow = claims.indices.filter { !claims[$0].isWide && claims[$0].work > 0 }
      // The largest first, so that none is left at the end.
      .sorted { claims[$0].work > claims[$1].work }
    for index in claims.indices where !claims[index].isWide && claims[index].work == 0 {
      run(index)
    }
    for index in wide { run(index) }
    let isDone = try allHold(narrow.count, makeState: {}) { place, _ in
      run(narrow[place])
      return true
    }
    if let failure = failures.first { throw failure }
    guard isDone else { throw .unusable("not all operators were checked") }
  }
}

extension OperatorClaim {
  /// Whether its check uses several threads itself.
  fileprivate var isWide: Bool {
    switch node.operation {
    case .linear(.convolution): evidence.hasFrequencies
    case .linear(.dense(_, let outputs, let inputs)): min(outputs, inputs) >= 1024
    default: false
    }
  }

  /// What its check costs, about; 0 where that is less than a thread costs.
  fileprivate var work: Double {
    switch node.operation {
    case .linear(.dense(_, let outputs, let inputs)):
      let size = Double(outputs) * Double(inputs)
      return size < 4096 ? 0 : size * Double(min(outputs, inputs))
    case .linear(.convolution(_, let geometry, _)):
      // About one band of the operator.
      let rows = Double(min(geometry.inputCount, geometry.outputCount))
      return rows * Double(geometry.weightShape.reduce(1, *)) * 64
    case .linear(.separable): return Double(node.count) * 64
    case .stored(let steps): return steps.values.map(\.work).max() ?? 0
    default: return 0
    }
  }
}

extension StatedEvidence {
  fileprivate var hasFrequencies: Bool {
    switch self {
    case .torus, .frequencyCover, .circular: true
    case .copies(let part), .kernelMatrix(let part): part.hasFrequencies
    case .groups(let parts): parts.contains(where: \.hasFrequencies)
    default: false
    }
  }
}

/// What failed, by node.
private final class Failures {
  private var errors: [Int: VerificationError] = [:]
  private var lock = pthread_mutex_t()

  init() { pthread_mutex_init(&lock, nil) }
  deinit { pthread_mutex_destroy(&lock) }

  func add(_ error: VerificationError, of index: Int) {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    errors[index] = error
  }

  /// Of the lowest index, after all threads have ended.
  var first: VerificationError? { errors.min { $0.key < $1.key }?.value }
}
