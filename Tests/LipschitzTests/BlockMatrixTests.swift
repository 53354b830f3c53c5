import Testing

@testable import Verification

@Suite struct BlockMatrixTests {
  static let patterns: [String: @Sendable (Int, Int) -> Bool] = [
    "chain": { $0 == $1 + 1 },
    "blocks that read all before": { _, _ in true },
    "with absent blocks in between": { $0 == 3 || $0 == $1 + 1 && $0 != 2 },
  ]

  /// M = LLᵀ − ε·I in whole numbers but for ε; singular for ε = 0 if the last pivot of L is 0.
  private func matrix(
    _ isPresent: (Int, Int) -> Bool, lastPivot: Double, epsilon: Double, seed: UInt64
  ) -> BlockMatrix {
    var random = TestRandom(seed)
    let sizes = [30, 8, 70, 4]
    let offsets = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    let n = sizes.reduce(0, +)
    var l = [Double](repeating: 0, count: n * n)
    for (i, rows) in sizes.enumerated() {
      for j in 0...i where i == j || isPresent(i, j) {
        for row in 0..<rows {
          for column in 0..<(i == j ? row : sizes[j]) where i != j || i > 0 {
            l[(offsets[j] + column) * n + offsets[i] + row] = Double(Int(random.uniform() * 3) - 1)
          }
          if i == j { l[(offsets[i] + row) * (n + 1)] = 16 }
        }
      }
    }
    l[n * n - 1] = lastPivot
    func entry(_ row: Int, _ column: Int) -> Double {
      (0...min(row, column)).reduce(0) { $0 + l[$1 * n + row] * l[$1 * n + column] }
    }
    var result = BlockMatrix(
      diagonals: sizes.indices.map { i in
        (0..<sizes[i]).map { entry(offsets[i] + $0, offsets[i] + $0) - epsilon }
      })
    for i in sizes.indices {
      for j in 0...i where (i, j) != (0, 0) {
        let block = (0..<sizes[i] * sizes[j]).map { place in
          entry(offsets[i] + place % sizes[i], offsets[j] + place / sizes[i])
        }
        if i == j || block.contains(where: { $0 != 0 }) {
          result.blocks[BlockMatrix.Place(row: i, column: j)] = block
        }
      }
    }
    return result
  }

  @Test(arguments: patterns.keys.sorted())
  func whatIsDefiniteHasASmallDefect(pattern: String) throws {
    try Arithmetic.checked { () throws(VerificationError) in
      for seed in 1...3 as ClosedRange<UInt64> {
        let matrix = matrix(Self.patterns[pattern]!, lastPivot: 16, epsilon: 0x1p-10, seed: seed)
        let defect = matrix.defect()
        #expect(defect.map { $0 > 0 && $0 < 1e-8 } == true)
      }
    }
  }

  @Test(arguments: patterns.keys.sorted())
  func theDefectCoversWhatIsMissing(pattern: String) throws {
    try Arithmetic.checked { () throws(VerificationError) in
      for seed in 1...3 as ClosedRange<UInt64> {
        for exponent in stride(from: -38, through: -2, by: 4) {
          // The least eigenvalue is at most −ε.
          let epsilon = Double(sign: .plus, exponent: exponent, significand: 1)
          let matrix = matrix(
            Self.patterns[pattern]!, lastPivot: 0, epsilon: epsilon, seed: seed)
          if let defect = matrix.defect() { #expect(defect >= epsilon) }
        }
      }
    }
  }

  @Test func operatorsBesideEachOtherAreAllChecked() throws {
    // A worker inside of another one runs on the same thread and counts like any other.
    let all = try allHold(9, makeState: {}) { index, _ in
      (try? allHold(5, makeState: { index }) { inner, outer in inner + outer >= 0 }) == true
    }
    #expect(all)
    let oneFails = try allHold(50, makeState: {}) { index, _ in index != 37 }
    #expect(!oneFails)
  }
}
