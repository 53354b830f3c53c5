import Diagnostics
import Lipschitz
import Rounding

extension Evaluation {
  /// What a certificate is about, for whoever reads the numbers.
  public static let scope = """
    the real-valued function of the stored weights at these test samples: no change of the model's \
    input below the radius, in the stated norm, gives another class a larger or an equal output; \
    float32 inference may round differently
    """

  /// `eval.json`. The keys and meanings are a contract that other programs rely on; a certified
  /// share and a radius are never above what is proved. Infinities are null.
  public func json(version: String, weights: String, seconds: Double) -> JSONValue {
    .object([
      (key: "lgc", value: .string(version)), (key: "name", value: .string(name)),
      (key: "weights", value: .string(weights)), (key: "samples", value: .int(samples)),
      (key: "accuracy", value: .double(accuracy)), (key: "certificate", value: .string(Self.scope)),
      (key: "norms", value: .array(norms.map(json))), (key: "seconds", value: .double(seconds)),
    ])
  }

  private func json(_ result: InNorm) -> JSONValue {
    let bounds = result.certified.bounds
    let average = result.certified.average
    return .object([
      (key: "norm", value: .string(result.report.norm.rawValue)),
      (key: "bound", value: .decimal(result.report.upper.json)),
      (key: "domain", value: result.report.domain.map {
        .array([.double($0.lowerBound), .double($0.upperBound)])
      } ?? .null),
      (key: "method", value: .string(result.report.method.rawValue)),
      (key: "pairs", value: bounds.map(json) ?? .null),
      (key: "raw_units_per_model_unit", value: JSONValue(result.rawRadius(1))),
      (key: "average_certified_radius", value: .double(average)),
      (key: "radii", value: .array(result.rows.map { row in
        .object([
          (key: "radius", value: .double(row.radius)),
          (key: "raw_radius", value: .double(result.rawRadius(row.radius))),
          (key: "certified", value: .double(row.certified)),
          (key: "attacked", value: JSONValue(row.attacked)),
          (key: "attack_steps", value: .int(attackSteps)),
          (key: "certified_attacked_in_vain", value: .int(row.checked)),
        ])
      })),
      (key: "curve", value: curve(result.certified)),
    ])
  }

  private func json(_ bounds: PairwiseBounds) -> JSONValue {
    let (least, largest) = bounds.range
    return .object([
      (key: "least", value: .decimal(least.json)), (key: "largest", value: .decimal(largest.json)),
      (key: "methods", value: .object(bounds.methodCounts.map {
        (key: $0.method.rawValue, value: .int($0.count))
      })),
    ])
  }

  private func curve(_ certified: CertifiedRadii) -> JSONValue {
    let curve = certified.curve()
    return .object([
      (key: "radii", value: .array(curve.map { .double($0.radius) })),
      (key: "certified", value: .array(curve.map { .double($0.accuracy) })),
    ])
  }
}
