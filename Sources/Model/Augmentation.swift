import Diagnostics
import Tensors

/// A random change of training samples that keeps their labels: one file under
/// `Datasets/Augmentations/`.
///
/// What happens to a sample is a function of the seed, the step and the sample's place in the
/// batch, so a resumed run sees the same batches.
public protocol Augmentation: CatalogUnit {
  /// Why samples of this shape cannot be changed so; nil: they can.
  func refusal(of shape: Shape) -> String?
  /// Changes one sample, already in the units of the model's input.
  ///
  /// - Parameters:
  ///   - scratch: as large as the sample, holding anything.
  ///   - random: a stream of this sample's own.
  func apply(
    to sample: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ layout: SampleLayout, random: inout PhiloxGenerator)
}

extension Augmentation {
  /// The refusal of every augmentation that moves or covers pixels.
  public func refusalOfNonImage(_ shape: Shape) -> String? {
    shape.count == 3
      ? nil : "`\(Self.kind)` changes images [channels, height, width], the samples are \(shape)"
  }
}

/// How the numbers of one sample lie, channel after channel and row after row.
public struct SampleLayout: Sendable {
  public let shape: Shape
  /// Of each channel, what the file's 0 has become in the model's input.
  public let zeros: [Float]

  public init(shape: Shape, zeros: [Float]) {
    self.shape = shape
    self.zeros = zeros
  }

  public var count: Int { shape.elementCount }
  /// Of images [channels, height, width].
  public var channels: Int { shape[0] }
  public var height: Int { shape[1] }
  public var width: Int { shape[2] }
}

/// An entry of `data.augment`.
public struct AugmentationUnit: Sendable {
  public var augmentation: any Augmentation
  public var kind: String
  public var arguments: Arguments
  public init(augmentation: any Augmentation, kind: String, arguments: Arguments) {
    self.augmentation = augmentation
    self.kind = kind
    self.arguments = arguments
  }
}
