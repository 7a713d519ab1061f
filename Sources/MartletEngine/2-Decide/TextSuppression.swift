public import MartletModel

/// Ready texts and whom the bank does not write to. What a source writes itself is asked for neither package nor consent, but a list on which somebody must not be told is
/// none if a source can go round it.
extension Engine {
    /// Whether there are rules to ask for ready texts; then the node says whose number it is.
    public var hasSuppressions: Bool { book != nil }

    /// Whether a ready text of this class is not for this customer: by a suppression of the rulebook for short messages (a text is never mandatory), since the customer is
    /// dead, or since the number must not be used. Blocked and closed customers are held back by suppressions alone: nothing else tells what the law asks for from the rest.
    /// - Parameters:
    ///   - contact: number of the contact point that it goes to; nil: it cannot be said.
    ///   - wall: microseconds.
    public func holdsBack(_ messageClass: MessageClass, _ customer: borrowing Customer, contact: UInt8?, at wall: Int64) -> Bool {
        guard let book else { return false }
        if customer.status == .deceased { return true }
        if let contact {
            for place in customer.contacts.indices where customer.contacts[place].number == contact && customer.contacts[place].isForbidden
            {
                return true
            }
        }
        guard !book.decider.suppressions.isEmpty else { return false }
        let today = customer.listed.isEmpty ? 0 : book.decider.localDay(of: customer, at: wall)
        for place in book.decider.suppressions.indices {
            let rule = book.decider.suppressions[place]
            if rule.classes.contains(messageClass), rule.channels.contains(.sms), rule.names(customer, on: today) { return true }
        }
        return false
    }
}
