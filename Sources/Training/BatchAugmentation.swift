import Diagnostics
import Model
import Tensors

/// The augmentations of a description, applied to whole batches.
///
/// Augmentation k of the list draws for row r of step s from the sequence s·B + r of a key that
/// the seed, k and its kind give.
public final class BatchAugmentation: Sendable {
  private let stages: [(augmentation: any Augmentation, key: UInt64)]
  private let layout: SampleLayout

  /// nil: there is nothing to do.
  public init?(
    _ section: DataSection, samples: Samples, _ scaling: InputScaling, seed: UInt64
  ) throws(DiagnosticError) {
    if section.augmentations.isEmpty { return nil }
    for unit in section.augmentations {
      if let refusal = unit.augmentation.refusal(of: samples.shape) {
        throw DiagnosticError(Diagnostic(.dataShape, refusal, at: unit.arguments.span))
      }
    }
    stages = section.augmentations.enumerated().map { place, unit in
      (
        unit.augmentation,
        Philox.stream(seed: seed, name: "augment.\(place).\(unit.kind)")
      )
    }
    layout = SampleLayout(shape: samples.shape, zeros: scaling.zeros)
  }

  /// Changes the `count` samples of a step's batch, which follow each other.
  func apply(to batch: UnsafeMutablePointer<Float>, step: Int, count: Int) {
    let size = layout.count
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { scratch in
      for row in 0..<count {
        for (augmentation, key) in stages {
          var random = PhiloxGenerator(key: key, sequence: UInt64(step * count + row))
          augmentation.apply(
            to: batch + row * size, scratch: scratch.baseAddress!, layout, random: &random)
        }
      }
    }
  }
}
