import Diagnostics
import Foundation
import Lipschitz
import Model
import Testing

@testable import lgc

/// Texts that nobody would write: whatever stands in a file, the front end ends with an experiment
/// or with errors that can be shown, and never traps.
@Suite struct MutationTests {
  @Test(arguments: MalformedTests.names) func noMutationOfADescriptionTraps(_ name: String) throws {
    let url = MalformedTests.folder.appendingPathComponent(name)
    let seed = name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }
    mutate([UInt8](try Data(contentsOf: url)), times: 60, seed: seed)
  }

  @Test func noMutationOfASoundDescriptionTraps() {
    mutate(Array(CheckTests.sound.utf8), times: 1500, seed: 1)
  }

  private func mutate(_ original: [UInt8], times: Int, seed: UInt64) {
    var random = SplitMix(state: seed)
    for _ in 0..<times {
      let file = SourceFile(path: "mutated.yaml", bytes: mutated(original, &random))
      let (experiment, diagnostics) = loadExperiment(
        file, catalogs: DescriptionFile.catalogs, directory: ".")
      #expect(experiment != nil || diagnostics.contains { $0.severity == .error })
      let all = diagnostics + (experiment.map { analyse($0).diagnostics } ?? [])
      for diagnostic in all.prefix(20) {
        #expect(!CaretRenderer(usesColor: false).render(diagnostic).isEmpty)
        if let span = diagnostic.span {
          #expect(0 <= span.start && span.start <= span.end && span.end <= span.file.bytes.count)
        }
      }
    }
  }

  /// One to four edits: a byte replaced, removed or added (mostly one that means something in
  /// YAML), a piece copied elsewhere, the end cut off.
  private func mutated(_ original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    let meaningful = Array("{}[]:,-&*!|>'\"#%@?<\n\t \r0123456789.~$ex\u{E9}".utf8) + [0x00, 0xFF]
    var bytes = original
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] = meaningful.randomElement(using: &random)!
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(meaningful.randomElement(using: &random)!, at: place)
      case 3: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 4:
        let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
        let target = Int.random(in: 0...bytes.count, using: &random)
        bytes.insert(contentsOf: Array(bytes[place..<end]), at: target)
      default: bytes.removeSubrange(max(place, bytes.count - 30)..<bytes.count)
      }
    }
    return bytes
  }
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
