import MartletModel
import MartletNode

/// What the desk asks of the keys of class and day, which the node makes.
extension Server {
    /// Destroys those whose time is over; the answer means that they are gone from the disk. Fields: a class, and the day since 1970 before which.
    func forgetKeys(_ request: ControlRequest, _ answer: @escaping (ControlAnswer) -> Void) {
        var days: [UInt8: Int32] = [:]
        for (word, text) in request.fields ?? [:] {
            guard let messageClass = MessageClass(word: word) else { return answer(.failed("\(word): there is no such class")) }
            guard let day = Int32(text) else { return answer(.failed("\(word): a day since 1970-01-01 is needed")) }
            days[messageClass.rawValue] = day
        }
        node.forgetKeys(before: days) { result in
            switch result {
            case .success(let count): answer(.done("", [["destroyed", String(count)]]))
            case .failure(let fault): answer(.failed("\(fault)"))
            }
        }
    }
}
