import Diagnostics
import Glibc
import Model
import Rounding
import Tensors

/// How generated images compare with real ones, in the eyes of a classifier.
public struct ImageQuality: Sendable {
  /// Generated samples.
  public let count: Int
  /// The Fréchet distance, squared, of the normal distributions that have the moments of generated
  /// and of test samples' features.
  public let distance: Double
  /// The same of as many training samples instead of generated ones: what cannot be beaten but by
  /// luck.
  public let floor: Double
  /// The share of generated samples that gets each class.
  public let shares: [Double]
  /// The share that gets the class it was asked to be of; nil where none was.
  public let asAsked: Double?

  /// −Σ p·ln p of the shares; ln(classes) at most.
  public var entropy: Double {
    shares.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
  }
}

/// Measures images against one data set in one classifier's features.
public final class ImageMeasure {
  public let classifier: FeatureClassifier
  private let classNames: [String]?
  private let test: FeatureMoments
  /// Of the training samples: their moments in the same number as the test samples.
  public let floor: Double
  /// The most samples on a side.
  static let limit = 10_000

  /// Samples that a whole measurement compares.
  public var count: Int { test.count }

  public init(
    _ classifier: FeatureClassifier, _ data: LoadedData, _ section: DataSection,
    _ scaling: InputScaling
  ) throws(DiagnosticError) {
    if let refusal = classifier.refusal(shape: data.train.shape, section) {
      throw DiagnosticError(refusal)
    }
    let held = data.test ?? data.train
    let count = min(Self.limit, held.count, data.train.count)
    guard count >= 2 else {
      throw DiagnosticError(
        Diagnostic(.dataShape, "two samples at least make a distance", at: section.span))
    }
    func moments(_ samples: Samples) throws(DiagnosticError) -> FeatureMoments {
      let size = samples.shape.elementCount
      let values = [Float](unsafeUninitializedCapacity: count * size) { buffer, filled in
        scaling.fill(buffer.baseAddress!, with: samples, at: 0..<count)
        filled = count * size
      }
      return FeatureMoments(
        of: try classifier.measure(values).features, size: classifier.featureCount)
    }
    self.classifier = classifier
    classNames = data.classNames
    test = try moments(held)
    floor = frechetDistance(try moments(data.train), test) ?? .nan
  }

  /// nil where features are not finite.
  ///
  /// - Parameter classes: sample i was asked to be of class i mod `classes`.
  public func quality(
    of samples: [Float], classes: Int? = nil
  ) throws(DiagnosticError) -> ImageQuality? {
    let (features, given) = try classifier.measure(samples)
    let moments = FeatureMoments(of: features, size: classifier.featureCount)
    guard let distance = frechetDistance(moments, test) else { return nil }
    let count = Double(max(moments.count, 1))
    var shares = [Double](repeating: 0, count: classifier.classCount)
    for index in given { shares[index] += 1 / count }
    let asAsked = classes.map { classes in
      Double(given.enumerated().count { $0.element == $0.offset % classes }) / count
    }
    return ImageQuality(
      count: moments.count, distance: distance, floor: floor, shares: shares, asAsked: asAsked)
  }

  /// For people: what was found, and by what.
  public func rows(_ quality: ImageQuality) -> [(String, String)] {
    let most = log(Double(quality.shares.count))
    let shares = quality.shares.enumerated().map { index, share in
      "\(classNames.map { $0[index] } ?? String(index)) \(fixed(share * 100, 0)) %"
    }
    let asked = quality.asAsked.map {
      [("as asked", "\(fixed($0 * 100, 1)) % of samples are of the class asked for, by the classifier")]
    }
    return [
      (
        "fréchet classifier distance",
        "\(decimal(quality.distance, 4)) generated against test samples, training against test "
          + "\(decimal(quality.floor, 4))"
      ),
      (
        "",
        "squared, \(quality.count) samples; \(classifier.featureCount) features before "
          + "`\(classifier.layer)` of \(classifier.name), weights \(classifier.hash.prefix(12))"
      ),
      ("classes", "entropy \(fixed(quality.entropy, 3)) of \(fixed(most, 3))"),
      ("", shares.joined(separator: ", ")),
    ] + (asked ?? [])
  }

  /// The members of `run.json` and of lines of metrics.
  public func json(_ quality: ImageQuality) -> JSONValue {
    .object([
      ("frechet_classifier_distance", .double(quality.distance)),
      ("floor", .double(quality.floor)), ("samples", .int(quality.count)),
      ("class_entropy", .double(quality.entropy)),
      ("class_shares", .array(quality.shares.map(JSONValue.double))),
      ("as_asked", JSONValue(quality.asAsked)),
      ("classifier", .string(classifier.name)), ("classifier_weights", .string(classifier.hash)),
      ("features_before", .string(classifier.layer)),
    ])
  }
}
