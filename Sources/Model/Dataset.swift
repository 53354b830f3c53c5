import Diagnostics
import Tensors

/// A source of labelled samples: one file under `Datasets/`.
public protocol Dataset: CatalogUnit {
  /// Reads everything; throws diagnostics that name the file and the sample.
  /// `directory` is where relative paths start: the description's folder.
  func load(_ arguments: Arguments, directory: String, seed: UInt64) throws(DiagnosticError)
    -> LoadedData
}

/// Samples in memory, in the units of the file.
public struct LoadedData: Sendable {
  public var train: Samples
  public var test: Samples?
  public var classNames: [String]?
  /// Of mixtures of points; nil for everything else.
  public var modes: Modes?
  public init(
    train: Samples, test: Samples? = nil, classNames: [String]? = nil, modes: Modes? = nil
  ) {
    self.modes = modes
    self.train = train
    self.test = test
    self.classNames = classNames
  }
}

/// The centres of a mixture of normal distributions with one deviation in every direction.
public struct Modes: Sendable {
  public let centres: [[Double]]
  public let deviation: Double
  public init(centres: [[Double]], deviation: Double) {
    self.centres = centres
    self.deviation = deviation
  }
}

/// N samples of one shape, with classes or with target vectors.
public struct Samples: Sendable {
  public enum Storage: Sendable {
    /// Raw unit 0…255.
    case bytes([UInt8])
    case floats([Float])
  }
  public var shape: Shape
  public var count: Int
  public var storage: Storage
  /// Class numbers, or empty where `targets` holds vectors.
  public var labels: [Int32]
  public var classCount: Int
  /// What a regression asks of the network's output: one tensor of `targetShape` a sample, one
  /// after the other, in the units of the output. Empty for data with classes.
  public var targets: [Float]
  public var targetShape: Shape

  public init(
    shape: Shape, count: Int, storage: Storage, labels: [Int32], classCount: Int,
    targets: [Float] = [], targetShape: Shape = []
  ) {
    self.shape = shape
    self.count = count
    self.storage = storage
    self.labels = labels
    self.classCount = classCount
    self.targets = targets
    self.targetShape = targetShape
  }

  /// What these samples are labelled with.
  public var labelKind: LabelKind { targets.isEmpty ? .classes : .targets }
  /// Numbers in one sample's label: 1 for a class.
  public var labelSize: Int { targets.isEmpty ? 1 : targetShape.elementCount }

  /// The samples of these numbers, in this order.
  public func selecting(_ indices: [Int]) -> Samples {
    func rows<Element>(_ values: [Element], _ size: Int) -> [Element] {
      guard !values.isEmpty else { return [] }
      var result: [Element] = []
      result.reserveCapacity(indices.count * size)
      for index in indices { result += values[index * size..<(index + 1) * size] }
      return result
    }
    let chosen: Storage =
      switch storage {
      case .bytes(let values): .bytes(rows(values, shape.elementCount))
      case .floats(let values): .floats(rows(values, shape.elementCount))
      }
    return Samples(
      shape: shape, count: indices.count, storage: chosen, labels: rows(labels, 1),
      classCount: classCount, targets: rows(targets, targetShape.elementCount),
      targetShape: targetShape)
  }
}
