import MartletModel

/// Words from handsets that connect and disconnect packages.
extension Engine {
    /// Records what the customer says of a package, in the batch of the message. Nothing is guessed: where the number is not one customer's, or that or
    /// the package is not known now, nothing is recorded.
    /// - Parameter answer: the rule's.
    /// - Returns: the answer that is true.
    mutating func say(
        _ wish: InboundRules.PackageWish, _ number: PhoneNumber, _ item: Inbound, in message: MessageID, _ answer: String,
        _ turn: inout Turn
    ) -> String {
        switch item.owner {
        case .one(let subject):
            // Who wants no more of it is heard in any case.
            guard !wish.isWanted || book?.rules.packages.contains(where: { $0.number == wish.package }) ?? false else {
                counts.packageWordsLater += 1
                return configuration.inbound.laterAnswer
            }
            if wish.isWanted { counts.packagesConnected += 1 } else { counts.packagesDisconnected += 1 }
            record(wish, of: subject, number, in: message, &turn)
            return answer
        case .nobody, .several:
            counts.packageWordsUnknown += 1
            return configuration.inbound.unknownAnswer
        case nil:
            counts.packageWordsLater += 1
            return configuration.inbound.laterAnswer
        }
    }

    private mutating func record(
        _ wish: InboundRules.PackageWish, of subject: SubjectNumber, _ number: PhoneNumber, in message: MessageID, _ turn: inout Turn
    ) {
        // Two words of one moment have an order all the same: by their times they are known as old or new.
        let isSame = turn.now.wall <= packageWordAt && packageWordAt - turn.now.wall < 1_000_000
        packageWordAt = isSame ? packageWordAt + 1 : turn.now.wall
        var header = RecordHeader(kind: .subscribed, partition: lookups.partition(of: number), at: packageWordAt)
        header.sequence = nextSequence(header.partition)
        let body = RecordBody.subscribed(
            .init(subject: subject, package: wish.package, isWanted: wish.isWanted, message: message))
        turn.records.append(Turn.Emitted(record: Record(header: header, body: body), slot: nil, sealed: .none, after: .nothing))
    }
}
