/// What other programs call what lgc has under a name of its own, for did-you-mean: a user's first
/// word is the one that is known from there.
enum OtherNames {
  /// Letters only, without `_`, digits and letter case: `Conv2d`, `conv_2d` and `conv` are one.
  private static let meant: [String: [String]] = [
    "linear": ["dense"], "fullyconnected": ["dense"], "fc": ["dense"],
    "convd": ["conv"], "convolution": ["conv"], "convolutiond": ["conv"],
    "convtransposed": ["conv_transpose"], "deconv": ["conv_transpose"],
    "maxpoold": ["max_pool"], "avgpool": ["average_pool"], "avgpoold": ["average_pool"],
    "averagepoold": ["average_pool"], "adaptiveavgpoold": ["global_average_pool"],
    "globalavgpool": ["global_average_pool"], "globalaveragepoold": ["global_average_pool"],
    "batchnormd": ["batch_norm"], "batchnormalization": ["batch_norm"],
    "instancenormd": ["instance_norm"], "layernormalization": ["layer_norm"],
    "maxmin": ["group_sort"], "swish": ["silu"], "logistic": ["sigmoid"],
    "multiheadattention": ["attention"], "reflectionpadd": ["pad"], "zeropadd": ["pad"],
    "sequential": ["residual", "repeat"],
    "spectralnorm": ["spectral"], "spectralnormalization": ["spectral"],
    "bjorck": ["orthogonal"], "parseval": ["orthogonal"], "weightclipping": ["clip"],
    "crossentropyloss": ["cross_entropy"], "ce": ["cross_entropy"], "nll": ["cross_entropy"],
    "softmaxcrossentropy": ["cross_entropy"], "meansquarederror": ["mse"], "mseloss": ["mse"],
    "meanabsoluteerror": ["mae"], "lloss": ["mae", "mse"], "wasserstein": ["wgan"],
    "learningrate": ["lr"], "batchsize": ["batch"], "numepochs": ["epochs"], "nepochs": ["epochs"],
    "iterations": ["steps"], "maxsteps": ["steps"], "randomseed": ["seed"],
    "earlystopping": ["stop_when"], "optim": ["optimizer"], "optimiser": ["optimizer"],
    "outfeatures": ["units"], "neurons": ["units"], "width": ["units"], "out": ["units"],
    "outchannels": ["filters"], "channels": ["filters"], "kernelsize": ["kernel"],
    "filtersize": ["kernel"], "usebias": ["bias"], "dataset": ["data", "type"],
    "network": ["model"], "inputshape": ["input"], "inputsize": ["input"],
    "lambda": ["weight"], "kind": ["type", "family"], "regularise": ["regularize"],
    "inf": ["linf"], "lmax": ["linf"], "euclidean": ["l2"],
  ]

  /// What `word` is called here, where it is one of `candidates`.
  static func meaning(of word: String, among candidates: [String]) -> String? {
    guard word.utf8.count <= 40 else { return nil }
    let letters = String(word.lowercased().filter { $0.isASCII && $0.isLetter })
    return meant[letters]?.first { candidates.contains($0) }
  }
}
