import MartletModel

/// Which open message a receipt speaks of, while it is not known how its operator names messages.
///
/// An id may be read in several ways, and the wrong reading of one message's id can be the id of another. So a reading counts for certain
/// only when the receipt also names the handset of the message that it leads to: only then is anything learnt from it, and only then is
/// a reading taken that is not the expected one.
extension Engine {
    /// - Parameters:
    ///   - key: of `providerID`, the expected reading.
    ///   - providerID: becomes the reading that was found.
    mutating func find(
        _ item: Heard, _ key: UInt64, _ naming: (any ReceiptNaming)?, _ providerID: inout String
    ) -> (slot: UInt32, part: UInt8)? {
        let found = providers.find(key, in: slots)
        guard let naming else { return found }
        if naming.isLearnt, found != nil { return found }
        let others = naming.otherReadings(of: item)
        if others.isEmpty { return found }
        if let found, speaks(item, of: found.slot, strictly: false) {
            naming.learn(answer: providerID, from: item)
            return found
        }
        for other in others {
            let reading = clipped(other)
            guard let another = providers.find(self.key(item.group, reading), in: slots),
                speaks(item, of: another.slot, strictly: naming.isLearnt)
            else { continue }
            naming.learn(answer: reading, from: item)
            providerID = reading
            return another
        }
        return found
    }

    func clipped(_ providerID: String) -> String {
        providerID.utf8.count <= providerIDMaximum
            ? providerID : String(decoding: providerID.utf8.prefix(providerIDMaximum), as: UTF8.self)
    }

    /// Digits that are the same in the international and the national form of a number.
    private static let localDigits: UInt64 = 10_000_000

    /// Whether the receipt names the handset of this message. Where the number is not in memory any more, its partition is: one of 32,
    /// which is enough while nothing is known, and the strict way does without.
    private func speaks(_ item: Heard, of number: UInt32, strictly: Bool) -> Bool {
        guard item.handset >= Engine.localDigits / 10 else { return false }
        if let payload = payload(of: number) {
            return payload.to.digits % Engine.localDigits == item.handset % Engine.localDigits
        }
        let partition = lookups.partition(of: PhoneNumber(digits: item.handset))
        return !strictly && slots.pointer(number).pointee.partition == partition
    }
}
