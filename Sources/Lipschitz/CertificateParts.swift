import Diagnostics
import Formats
import Glibc
import Model
import Rounding

extension Certificate {
  /// What a node computes, with the stored tensors by their full names.
  static func operation(_ node: LayerNode) -> JSONValue {
    switch node.operation {
    case .linear(let linear): linear.json(node.tensorName)
    case .elementwise(let slopes):
      .typed("elementwise", [
        (key: "slopes", value: .array([.hexadecimal(slopes.lower), .hexadecimal(slopes.upper)]))
      ])
    case .known(let constants): .typed("known", constants.members)
    case .stored(let constants):
      .typed(
        "stored",
        Norm.allCases.map {
          (key: $0.rawValue, value: constants[$0].json(node.tensorName))
        })
    case .weightedSum(let coefficients):
      .typed("weighted_sum", [
        (key: "coefficients", value: .array(coefficients.map(JSONValue.hexadecimal)))
      ])
    case .unbounded(let reason): .typed("unbounded", [(key: "reason", value: .string(reason))])
    }
  }
}

extension LipschitzConstants {
  fileprivate var members: [(key: String, value: JSONValue)] {
    Norm.allCases.map { (key: $0.rawValue, value: .hexadecimal(self[$0].value)) }
  }
}

extension StoredBound {
  /// A list of steps.
  fileprivate func json(_ tensorName: (String) -> String) -> JSONValue {
    func pair(_ type: String, _ a: Int, _ b: Int) -> JSONValue {
      .typed(type, [(key: "of", value: .array([.int(a), .int(b)]))])
    }
    return .array(steps.map { step in
      switch step {
      case .number(let number): .typed("number", [(key: "value", value: .hexadecimal(number))])
      case .norm(let matrix, let norm):
        .typed("norm", [
          (key: "weight", value: .string(tensorName(matrix.weight))),
          (key: "first", value: .int(matrix.rows.lowerBound)),
          (key: "rows", value: .int(matrix.rows.count)),
          (key: "height", value: .int(matrix.height)),
          (key: "columns", value: .int(matrix.columns)),
          (key: "norm", value: .string(norm.rawValue)),
        ])
      case .largest(let weight):
        .typed("largest", [(key: "weight", value: .string(tensorName(weight)))])
      case .sum(let a, let b): pair("sum", a, b)
      case .product(let a, let b): pair("product", a, b)
      case .maximum(let a, let b): pair("maximum", a, b)
      case .root(let a): .typed("root", [(key: "of", value: .array([.int(a)]))])
      }
    })
  }
}

extension LinearOperator {
  func json(_ tensorName: (String) -> String) -> JSONValue {
    func weight(_ name: String) -> (key: String, value: JSONValue) {
      (key: "weight", value: .string(tensorName(name)))
    }
    switch self {
    case .dense(let name, let outputs, let inputs):
      return .typed("dense", [
        weight(name), (key: "outputs", value: .int(outputs)), (key: "inputs", value: .int(inputs)),
      ])
    case .diagonal(let name, let count):
      return .typed("diagonal", [weight(name), (key: "count", value: .int(count))])
    case .scaling(let factor):
      return .typed("scaling", [(key: "factor", value: .hexadecimal(factor))])
    case .convolution(let name, let geometry):
      return .typed("convolution", [weight(name)] + geometry.members)
    case .transposedConvolution(let name, let geometry):
      return .typed("transposed_convolution", [weight(name)] + geometry.members)
    case .separable(let channels, let axes):
      return .typed("separable", [
        (key: "channels", value: .int(channels)), (key: "axes", value: .array(axes.map(\.json))),
      ])
    case .normalisation(let scale, let variance, let epsilon, let channels, let count):
      return .typed("normalisation", [
        (key: "scale", value: JSONValue(scale.map(tensorName))),
        (key: "variance", value: .string(tensorName(variance))),
        (key: "epsilon", value: .hexadecimal(epsilon)), (key: "channels", value: .int(channels)),
        (key: "count", value: .int(count)),
      ])
    }
  }
}

extension ConvolutionGeometry {
  fileprivate var members: [(key: String, value: JSONValue)] {
    [
      (key: "inputs", value: .int(inputs)), (key: "outputs", value: .int(outputs)),
      (key: "groups", value: .int(groups)),
      (key: "axes", value: .array(axes.map { axis in
        .object([
          (key: "extent", value: .int(axis.extent)), (key: "kernel", value: .int(axis.kernel)),
          (key: "stride", value: .int(axis.stride)), (key: "dilation", value: .int(axis.dilation)),
          (key: "low", value: .int(axis.low)), (key: "high", value: .int(axis.high)),
        ])
      })),
      (key: "padding", value: .string(padding.rawValue)),
    ]
  }
}

extension AxisMap {
  fileprivate var json: JSONValue {
    .object([
      (key: "inputs", value: .int(inputs)),
      (key: "rows", value: .array(rows.map { row in
        .object([
          (key: "columns", value: .array(row.columns.map(JSONValue.int))),
          (key: "numerators", value: .array(row.numerators.map(JSONValue.int))),
          (key: "divisor", value: .int(row.divisor)),
        ])
      })),
    ])
  }
}

extension OperatorEvidence {
  var json: JSONValue {
    func of(_ parts: [OperatorEvidence]) -> [(key: String, value: JSONValue)] {
      [(key: "of", value: .array(parts.map(\.json)))]
    }
    switch self {
    case .constant: return .typed("constant")
    case .largestEntry: return .typed("largest_entry")
    case .sums: return .typed("sums")
    case .zero: return .typed("zero")
    case .frobenius: return .typed("frobenius")
    case .gram: return .typed("gram")
    case .kernelMatrix(let part):
      return .typed("kernel_matrix", [(key: "of", value: part.json)])
    case .torus(let sides, let twists):
      return .typed("torus", [
        (key: "sides", value: .array(sides.map(JSONValue.int))),
        (key: "twists", value: .array(twists.map(JSONValue.int))),
      ])
    case .frequencyCover(let root, let bits):
      return .typed("frequency_cover", [
        (key: "root", value: .array(root.map(JSONValue.int))), (key: "bits", value: .string(bits)),
      ])
    case .banded: return .typed("banded")
    case .circular: return .typed("circular")
    case .copies(let part): return .typed("copies", [(key: "of", value: part.json)])
    case .disjoint: return .typed("disjoint")
    case .interpolation: return .typed("interpolation")
    case .groups(let parts): return .typed("groups", of(parts))
    case .separable(let parts): return .typed("separable", of(parts))
    case .normalisation: return .typed("normalisation")
    case .stored(let norms):
      return .typed("stored", [
        (key: "norms", value: .array(norms.map { norm in
          .object([
            (key: "bound", value: .hexadecimal(norm.bound)),
            (key: "evidence", value: norm.evidence.json),
          ])
        }))
      ])
    }
  }
}

extension JSONValue {
  fileprivate static func typed(
    _ type: String, _ rest: [(key: String, value: JSONValue)] = []
  ) -> JSONValue {
    .object([(key: "type", value: .string(type))] + rest)
  }

  /// `0x1.8p+3`; null for what is not finite.
  static func hexadecimal(_ value: Double) -> JSONValue {
    guard value.isFinite else { return .null }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      _ = withVaList([value]) { vsnprintf(buffer.baseAddress!, 64, "%a", $0) }
      return .string(String(cString: buffer.baseAddress!))
    }
  }

  /// SHA-256 of the canonical text.
  var sha256: String {
    guard let json = try? JSON(Array(compactText.utf8)) else {
      fatalError("lgc's own bug: what it writes as JSON is none")
    }
    return SHA256.hexadecimal(Array(json.canonicalText.utf8))
  }
}
