public import MartletModel

/// What every door sees to in the texts that come in.
public enum TextGuard {
    public static let cardNumbers = Setting(
        "guard.cardNumbers", .choice(CardNumbers.Policy.allCases.map(\.rawValue)), default: CardNumbers.Policy.mask.rawValue,
        reload: .live,
        doc: """
            What is done about a text that holds a whole card number. `mask`: it goes out with the first six and the last four digits, \
            the others as `*`. `refuse`: the message is not taken. `off`: nothing. Each message is looked at by itself: a number that a \
            system cuts over parts of its own is not seen.
            """)

    public static let all: [Setting] = [cardNumbers]
}
