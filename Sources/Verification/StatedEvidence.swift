/// How an operator's bound was proved, as far as a checker must know to repeat it.
indirect enum StatedEvidence {
  case constant
  case largestEntry
  case sums
  case zero
  case frobenius
  case gram
  case kernelMatrix(StatedEvidence)
  case torus(sides: [Int], twists: [Int])
  case frequencyCover(root: [Int], bits: String)
  case banded
  case circular
  case copies(of: StatedEvidence)
  case disjoint
  case interpolation
  case groups([StatedEvidence])
  case separable([StatedEvidence])
  case normalisation
  case stored([StatedNorm])
  /// A kind that this version does not know; the word.
  case other(String)

  init(_ fields: Fields) throws(VerificationError) {
    func parts() throws(VerificationError) -> [StatedEvidence] {
      var parts: [StatedEvidence] = []
      for part in try fields.field("of").list() { parts.append(try StatedEvidence(part)) }
      return parts
    }
    switch try fields.field("type").string() {
    case "constant": self = .constant
    case "largest_entry": self = .largestEntry
    case "sums": self = .sums
    case "zero": self = .zero
    case "frobenius": self = .frobenius
    case "gram": self = .gram
    case "kernel_matrix": self = .kernelMatrix(try StatedEvidence(try fields.field("of")))
    case "torus":
      self = .torus(
        sides: try fields.field("sides").integers(in: 1...(1 << 20)),
        twists: try fields.field("twists").integers(in: 0...1))
    case "frequency_cover":
      self = .frequencyCover(
        root: try fields.field("root").integers(in: 0...20),
        bits: try fields.field("bits").string())
    case "banded": self = .banded
    case "circular": self = .circular
    case "copies": self = .copies(of: try StatedEvidence(try fields.field("of")))
    case "disjoint": self = .disjoint
    case "interpolation": self = .interpolation
    case "groups": self = .groups(try parts())
    case "separable": self = .separable(try parts())
    case "normalisation": self = .normalisation
    case "stored":
      var norms: [StatedNorm] = []
      for norm in try fields.field("norms").list() { norms.append(try StatedNorm(norm)) }
      self = .stored(norms)
    case let other: self = .other(other)
    }
  }

  /// The word of the certificate.
  var word: String {
    switch self {
    case .constant: "constant"
    case .largestEntry: "largest_entry"
    case .sums: "sums"
    case .zero: "zero"
    case .frobenius: "frobenius"
    case .gram: "gram"
    case .kernelMatrix: "kernel_matrix"
    case .torus: "torus"
    case .frequencyCover: "frequency_cover"
    case .banded: "banded"
    case .circular: "circular"
    case .copies: "copies"
    case .disjoint: "disjoint"
    case .interpolation: "interpolation"
    case .groups: "groups"
    case .separable: "separable"
    case .normalisation: "normalisation"
    case .stored: "stored"
    case .other(let word): word
    }
  }
}
