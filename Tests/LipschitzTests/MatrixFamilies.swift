import Glibc

/// A deterministic source for the tests' matrices.
struct TestRandom {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x2545_F491_4F6C_DD1D | 1 }

  mutating func bits() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
  /// In [0, 1).
  mutating func uniform() -> Double { Double(bits() >> 11) * 0x1p-53 }
  mutating func below(_ limit: Int) -> Int { Int(bits() % UInt64(limit)) }
  mutating func normal() -> Double {
    (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
  }
  mutating func sign() -> Double { bits() & 1 == 0 ? 1 : -1 }
}

/// A kind of matrix that has broken somebody's norm bound, or could.
struct MatrixFamily: Sendable {
  let name: String
  /// Entries in row-major order; rounding to float32 is part of the family.
  let make: @Sendable (_ rows: Int, _ columns: Int, inout TestRandom) -> [Double]
}

extension MatrixFamily {
  static let all: [MatrixFamily] = [
    elements("gaussian") { _, _, r in r.normal() },
    elements("uniform") { _, _, r in r.uniform() },
    elements("all ones") { _, _, _ in 1 },
    elements("signs") { _, _, r in r.sign() },
    elements("zero") { _, _, _ in 0 },
    elements("signed zeros") { _, _, r in r.bits() & 1 == 0 ? 0.0 : -0.0 },
    elements("one entry") { i, j, _ in i == 0 && j == 0 ? -0.1 : 0 },
    elements("identity") { i, j, _ in i == j ? 1 : 0 },
    elements("equal singular values") { i, j, r in i == j ? r.sign() * 0.7 : 0 },
    elements("nearly equal singular values") { i, j, r in
      i == j ? 1 + 0x1p-23 * Double(r.below(3)) : 0
    },
    elements("diagonal") { i, j, r in i == j ? r.normal() : 0 },
    elements("hadamard") { i, j, _ in (i & j).nonzeroBitCount & 1 == 0 ? 1 : -1 },
    elements("hilbert") { i, j, _ in 1 / Double(i + j + 1) },
    elements("vandermonde") { i, j, _ in pow(1 / Double(i + 2), Double(j)) },
    elements("ones and one ulp") { _, _, r in 1 + Double(r.below(2)) * 0x1p-23 },
    elements("denormal") { _, _, r in 0x1p-149 * Double(r.below(64)) * r.sign() },
    elements("least denormal") { _, _, r in r.below(3) == 0 ? 0x1p-149 : 0 },
    elements("denormal and normal") { _, _, r in r.bits() & 1 == 0 ? 0x1p-140 : r.normal() },
    elements("near the largest float") { _, _, r in r.sign() * 3.4e38 * (1 - r.uniform() / 64) },
    elements("largest and least") { _, _, r in r.bits() & 1 == 0 ? 3.4e38 : 1e-45 },
    elements("mixed magnitudes") { _, _, r in r.normal() * exp2(Double(r.below(200) - 100)) },
    elements("sparse") { _, _, r in r.below(5) == 0 ? r.normal() : 0 },
    elements("upper triangular ones") { i, j, _ in i <= j ? 1 : 0 },
    elements("checkerboard") { i, j, _ in (i + j) & 1 == 0 ? 0.3 : -0.3 },
    elements("halfway products") { i, j, r in
      // Full-width significands, whose products and sums round at every step.
      1 + Double(r.bits() >> 41) * 0x1p-23
    },
    elements("cancelling") { i, j, r in
      (j & 1 == 0 ? 1 : -1) * (1 + Double(r.below(4)) * 0x1p-22)
    },
    MatrixFamily(name: "rank one") { rows, columns, r in
      let (u, v) = (normals(rows, &r), normals(columns, &r))
      return outer(rows, columns) { u[$0] * v[$1] }
    },
    MatrixFamily(name: "rank one of powers of two") { rows, columns, r in
      let u = (0..<rows).map { _ in exp2(Double(r.below(20) - 10)) }
      let v = (0..<columns).map { _ in exp2(Double(r.below(20) - 10)) * r.sign() }
      return outer(rows, columns) { u[$0] * v[$1] }
    },
    MatrixFamily(name: "rank two") { rows, columns, r in
      let (u, v) = (normals(rows, &r), normals(columns, &r))
      let (x, y) = (normals(rows, &r), normals(columns, &r))
      return outer(rows, columns) { u[$0] * v[$1] + x[$0] * y[$1] }
    },
    MatrixFamily(name: "ill-scaled rows") { rows, columns, r in
      let scales = (0..<rows).map { _ in exp2(Double(r.below(240) - 120)) }
      let entries = normals(rows * columns, &r)
      return outer(rows, columns) { scales[$0] * entries[$0 * columns + $1] }
    },
    MatrixFamily(name: "ill-scaled columns") { rows, columns, r in
      let scales = (0..<columns).map { _ in exp2(Double(r.below(240) - 120)) }
      let entries = normals(rows * columns, &r)
      return outer(rows, columns) { scales[$1] * entries[$0 * columns + $1] }
    },
    MatrixFamily(name: "duplicate rows") { rows, columns, r in
      let row = normals(columns, &r)
      return outer(rows, columns) { row[$1] * ($0 & 1 == 0 ? 1 : -1) }
    },
    MatrixFamily(name: "duplicate columns") { rows, columns, r in
      let column = normals(rows, &r)
      return outer(rows, columns) { i, _ in column[i] }
    },
    MatrixFamily(name: "orthogonal") { rows, columns, r in
      // A Householder reflection, cut to shape.
      let v = normals(max(rows, columns), &r)
      let square = v.reduce(0) { $0 + $1 * $1 }
      return outer(rows, columns) { ($0 == $1 ? 1 : 0) - 2 * v[$0] * v[$1] / square }
    },
    MatrixFamily(name: "toeplitz") { rows, columns, r in
      let bands = normals(rows + columns, &r)
      return outer(rows, columns) { bands[$0 - $1 + columns] }
    },
    MatrixFamily(name: "companion") { rows, columns, r in
      let last = normals(columns, &r)
      return outer(rows, columns) { $0 == rows - 1 ? last[$1] : ($1 == $0 + 1 ? 1 : 0) }
    },
  ]

  private static func elements(
    _ name: String, _ entry: @escaping @Sendable (Int, Int, inout TestRandom) -> Double
  ) -> MatrixFamily {
    MatrixFamily(name: name) { rows, columns, random in
      var values: [Double] = []
      for i in 0..<rows { for j in 0..<columns { values.append(entry(i, j, &random)) } }
      return values
    }
  }

  private static func normals(_ count: Int, _ random: inout TestRandom) -> [Double] {
    (0..<count).map { _ in random.normal() }
  }

  private static func outer(
    _ rows: Int, _ columns: Int, _ entry: (Int, Int) -> Double
  ) -> [Double] {
    (0..<rows).flatMap { i in (0..<columns).map { entry(i, $0) } }
  }

  /// A matrix of the family as float32, all entries finite.
  func matrix(_ rows: Int, _ columns: Int, _ random: inout TestRandom) -> [Float] {
    make(rows, columns, &random).map {
      let value = Float($0)
      return value.isFinite ? value : (value < 0 ? -1 : 1) * Float.greatestFiniteMagnitude
    }
  }
}
