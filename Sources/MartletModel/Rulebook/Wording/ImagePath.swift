/// Where an uploaded picture is found below the bank's public address: `/i/` and its name, 43 letters that nobody guesses. Texts that show one have
/// this path, so that they need no change when the bank's host is called otherwise.
public enum ImagePath {
    public static let prefix = "/i/"
    /// Of a name: 32 bytes in base64url without padding (RFC 4648, section 5).
    public static let letters = 43

    public static func isName(_ text: some StringProtocol) -> Bool {
        text.utf8.count == letters
            && text.utf8.allSatisfy { (97...122).contains($0 | 32) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
    }

    /// The name in such a path; nil: it is another address.
    public static func name(of path: String) -> String? {
        guard path.hasPrefix(prefix) else { return nil }
        let name = String(path.dropFirst(prefix.count))
        return isName(name) ? name : nil
    }
}

extension WordingObjects {
    /// Pictures that were never uploaded, or lie with strangers: whoever keeps the host sees who opens which message when, and may show another picture
    /// tomorrow.
    func checkPictures(_ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]) {
        for text in templates.flatMap(\.texts) + overrides.flatMap(\.texts) {
            for piece in text.pieces where piece.place == .image {
                if let name = ImagePath.name(of: piece.text) {
                    guard let images = surroundings.images, !images.contains(name) else { continue }
                    findings.append(
                        RulebookFinding(
                            piece.path, .error, "there is no such picture", remedy: "upload it, and write the path that it gets"))
                } else if let hosts = surroundings.pictureHosts, let host = ImagePath.host(of: piece.text), !hosts.contains(host) {
                    findings.append(
                        RulebookFinding(
                            piece.path, .error, "it is a picture on another host than the bank's",
                            remedy: hosts.isEmpty
                                ? "upload it, and write the path that it gets"
                                : "upload it, or name one on \(hosts.sorted().joined(separator: ", ")) (images.hosts)"))
                }
            }
        }
    }
}

extension ImagePath {
    /// The host of an address that begins with `https://`, in small letters, without its port; nil: it is none.
    public static func host(of address: String) -> String? {
        guard address.hasPrefix("https://") else { return nil }
        let host = address.dropFirst(8).prefix { !["/", "?", "#", ":"].contains($0) }.lowercased()
        return host.isEmpty ? nil : host
    }
}
