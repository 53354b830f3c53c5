import Tensors
import Testing

@Suite struct PhiloxTests {
  /// `kat_vectors` of Random123, the authors' own distribution: philox4x32 10.
  @Test func blocksEqualThePublishedVectors() {
    let zeros = Philox.block(key: (0, 0), counter: (0, 0, 0, 0))
    #expect(zeros == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let all = UInt32.max
    let ones = Philox.block(key: (all, all), counter: (all, all, all, all))
    #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    let pi = Philox.block(
      key: (0xa409_3822, 0x299f_31d0),
      counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
    #expect(pi == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func wideArgumentsAreLowWordFirst() {
    let wide = Philox.block(
      key: 0x299f_31d0_a409_3822, index: 0x85a3_08d3_243f_6a88, high: 0x0370_7344_1319_8a2e)
    #expect(wide == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  /// The FNV-1a test values of Fowler, Noll and Vo.
  @Test func streamNamesAreHashedByFNV1a() {
    #expect(Philox.hash(of: "") == 0xcbf2_9ce4_8422_2325)
    #expect(Philox.hash(of: "a") == 0xaf63_dc4c_8601_ec8c)
    #expect(Philox.hash(of: "foobar") == 0x8594_4171_f739_67e8)
  }

  @Test func generatorsDifferBySeedAndByStreamAndResume() {
    var first = PhiloxGenerator(seed: 1, stream: "fc1.weight")
    var again = PhiloxGenerator(seed: 1, stream: "fc1.weight")
    var seed = PhiloxGenerator(seed: 2, stream: "fc1.weight")
    var stream = PhiloxGenerator(seed: 1, stream: "fc2.weight")
    let words = (0..<9).map { _ in first.next() }
    #expect(words == (0..<9).map { _ in again.next() })
    #expect(Set(words).isDisjoint(with: (0..<9).map { _ in seed.next() }))
    #expect(Set(words).isDisjoint(with: (0..<9).map { _ in stream.next() }))
    var resumed = PhiloxGenerator(seed: 1, stream: "fc1.weight")
    resumed.position = 10
    #expect(resumed.next() == words[5])
  }

  /// Mean and variance within six standard errors of 0 and 1, and of ½ and 1/12.
  @Test func momentsAreThoseOfTheDistribution() {
    var generator = PhiloxGenerator(seed: 7, stream: "moments")
    let count = 20_000.0
    let normals = (0..<Int(count)).map { _ in generator.normal() }
    let uniforms = (0..<Int(count)).map { _ in generator.uniform() }
    let mean = normals.reduce(0, +) / count
    #expect(abs(mean) < 6 / count.squareRoot())
    let variance = normals.reduce(0) { $0 + $1 * $1 } / count
    #expect(abs(variance - 1) < 6 * (2 / count).squareRoot())
    let middle = uniforms.reduce(0, +) / count
    #expect(abs(middle - 0.5) < 6 / (12 * count).squareRoot())
    #expect(uniforms.allSatisfy { 0 <= $0 && $0 < 1 })
  }
}
