import MartletModel
import Templates

extension WordingPlace {
    /// What its texts are written into: by that values are escaped. Nothing in a value is ever rendered again, so what shows markup gets none
    /// from a value, and no value leaves its part of an address. Subjects, messengers, speech and passes show what they are given as it is.
    var output: OutputKind {
        switch self {
        case .html, .markup: .html
        case .link, .image: .link
        case .lockedScreen, .message, .letter: .plain
        }
    }
}
