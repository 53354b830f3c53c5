import Model
import Rounding
import Tensors

/// The constants of x ↦ (x − mean)/√(variance + eps), or of x ↦ x/√(mean of squares + eps), over d
/// elements of a sample.
struct SampleNormalisation {
  /// Of a scale of 1.
  let constants: LipschitzConstants

  /// Of d elements, their mean taken away.
  ///
  /// l2: 1/√eps, reached where all elements are equal. l1 and linf: K(d)/√eps. K is 2 − 2/d for
  /// small d and grows like 0.19·√d: with
  ///
  ///     A = 2m/d,   B = √(μ² + d·μ·(1 − μ) − μ) − μ,   μ = m/d
  ///
  /// it is the maximum over m = 1 … d − 1 of A where B ≤ A/2, else of 2·(A + B)^1.5 / (3·√(3·B)): a
  /// row of the Jacobian has the l1 norm √t·(A + (1 − t)·B)/√eps, t = eps/(variance + eps), at worst,
  /// and that is maximal over t there. The Jacobian is symmetric, so l1 is as linf.
  static func centred(_ count: Int, eps: Double) -> SampleNormalisation {
    make(centredRow(count), l2: count == 1 ? .zero : .one, eps: eps)
  }

  /// Of d elements as they are. l2: 1/√eps, reached at 0. l1 and linf: 1/√eps for d ≤ 4, reached at
  /// 0, else (√d + 1)^1.5 / (3·√3·√(√d − 1)) times that, reached where the mean of squares is
  /// eps·(2√d − 4)/(√d + 1): a row is at most √t·(1 + (1 − t)·(√d − 1)/2)/√eps.
  static func plain(_ count: Int, eps: Double) -> SampleNormalisation {
    let root = Double(count).squareRoot()
    let row =
      count <= 4
      ? 1
      : (root + 1) * (root + 1).squareRoot() / (3 * (3 * (root - 1)).squareRoot()) * (1 + 1e-12)
    return make(UpperBound(proved: row), l2: .one, eps: eps)
  }

  private static func make(
    _ row: UpperBound, l2: UpperBound, eps: Double
  ) -> SampleNormalisation {
    let steepest = UpperBound.one / LowerBound(proved: eps).squareRoot()
    let spread = (row * steepest).value
    return SampleNormalisation(
      constants: LipschitzConstants(l1: spread, l2: (l2 * steepest).value, linf: spread))
  }

  /// K(d), rounded up. For long samples, where the maximum would take long, √d: no row's l1 norm is
  /// above √d times its l2 norm, which is at most 1.
  private static func centredRow(_ count: Int) -> UpperBound {
    if count == 1 { return .zero }
    if count > 1 << 16 { return UpperBound(proved: Double(count)).squareRoot() }
    let d = Double(count)
    var largest = 0.0
    for m in 1..<count {
      let mean = Double(m) / d
      let a = 2 * mean
      let b = (mean * mean + d * mean * (1 - mean) - mean).squareRoot() - mean
      let sum = a + b
      largest = max(largest, b <= a / 2 ? a : 2 * sum * (sum / (3 * b)).squareRoot() / 3)
    }
    // A dozen operations without cancellation that matters: each within 2⁻⁵³, of numbers at most d.
    return UpperBound(proved: largest * (1 + 1e-9))
  }

  /// With the stored factors `scale`, if there are any: max |scale| times the constants.
  func operation(scale: String?) -> LayerOperation {
    guard let scale else { return .known(constants) }
    return .stored(
      StoredConstants { norm, steps in
        steps.number(constants[norm].value) * steps.largest(scale)
      })
  }
}

extension GraphBuilder {
  /// x over its root mean square along `axes`, after its mean is taken away where `isCentred`.
  func normalised(_ x: Value, over axes: [Int], eps: Double, isCentred: Bool) -> Value {
    let full = shape(x)
    let kept = full.indices.filter { !axes.contains($0) }
    let count = Double(axes.reduce(1) { $0 * full[$1] })
    func mean(_ value: Value) -> Value { multiply(sum(value, axes), 1 / count) }
    let centred = isCentred ? subtract(x, broadcast(mean(x), to: full, axes: kept)) : x
    let root = unary(.squareRoot, add(mean(square(centred)), eps))
    return multiply(centred, broadcast(unary(.reciprocal, root), to: full, axes: kept))
  }
}

// MARK: messages

extension Caution {
  static func steepNormalisation(
    _ name: String, _ operation: LayerOperation, _ norm: Norm
  ) -> Caution {
    let most: UpperBound? =
      switch operation {
      case .known(let constants): constants[norm]
      // With the scale 1 that it starts with.
      case .stored(let constants): constants[norm].value { _ in .one }
      default: nil
      }
    return Caution(
      .steepNormalisation,
      "`\(name)` divides by √(variance + eps), so it expands by up to "
        + "\((most ?? .unknown).text(significant: 3)) in \(norm.rawValue) where a sample hardly varies",
      help: "a larger `eps` lowers it; `centre_norm` divides by nothing")
  }
}
