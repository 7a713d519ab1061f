extension Behaviour {
    /// Behaviours with a name, for the page and for short commands: POST .../behaviour {"preset": "busy"}.
    public struct Preset: Sendable {
        public let name: String
        /// For people.
        public let title: String
        public let behaviour: Behaviour
    }

    public static let presets: [Preset] = [
        preset("calm", "Answers at once") { _ in },
        preset("receiptsLater", "Receipts after 5 to 10 s") {
            $0.receiptAfterMs = 5000
            $0.receiptJitterMs = 5000
        },
        preset("busy", "Slow: answers after 300 to 800 ms") {
            $0.delayMs = 300
            $0.jitterMs = 500
            $0.receiptAfterMs = 2000
        },
        preset("throttling", "Throttles 30 % of submits") { $0.throttlePercent = 30 },
        preset("refusing", "Refuses 10 % of submits") { $0.refusePercent = 10 },
        preset("failing", "Delivers half, the rest fails") {
            $0.receiptStatus =
                ReceiptMix([
                    ReceiptMix.Share(state: .delivered, percent: 50), ReceiptMix.Share(state: .undeliverable, percent: 30),
                    ReceiptMix.Share(state: .expired, percent: 20),
                ]) ?? ReceiptMix(.undeliverable)
            $0.receiptAfterMs = 1000
        },
        preset("lying", "Odd receipts: early, twice, lost, unknown") {
            $0.receiptBeforeAnswerPercent = 20
            $0.duplicateReceiptPercent = 20
            $0.lostReceiptPercent = 10
            $0.unknownReceiptPercent = 10
        },
        preset("silent", "Takes messages, never answers") { $0.silent = true },
        preset("down", "Down: closes every connection") { $0.disconnect = true },
    ]

    private static func preset(_ name: String, _ title: String, _ change: (inout Behaviour) -> Void) -> Preset {
        var behaviour = Behaviour()
        change(&behaviour)
        return Preset(name: name, title: title, behaviour: behaviour)
    }

    /// Name of the preset that is exactly this; nil: none is.
    var presetName: String? { Self.presets.first { $0.behaviour == self }?.name }
}
