import Diagnostics
import Model
import Tensors

extension LoadedData {
  /// Takes samples out of the training split, which they are drawn from without regard to their
  /// labels: the first of the order that (seed, "validation") gives. Both parts stay in the order of
  /// the file.
  ///
  /// - Parameter seed: where the section has none of its own.
  mutating func holdBack(
    _ section: ValidationSection, seed: UInt64
  ) throws(DiagnosticError) -> Samples {
    let count = section.count(of: train.count)
    guard count < train.count else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape, "\(count) samples held back leave none of \(train.count) to train on",
          at: section.span))
    }
    var generator = PhiloxGenerator(seed: section.seed ?? seed, stream: "validation")
    var isHeld = [Bool](repeating: false, count: train.count)
    for index in generator.permutation(of: train.count).prefix(count) { isHeld[Int(index)] = true }
    let held = train.selecting(isHeld.indices.filter { isHeld[$0] })
    train = train.selecting(isHeld.indices.filter { !isHeld[$0] })
    return held
  }
}
