/// A self-signed certificate of `localhost` and its key, made for these tests and trusted by nobody else.
enum TestServerCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBlDCCATugAwIBAgIUbD3B809JLje3BgAp6sV0O2ZrhXUwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzA0MDY0M1oYDzIxMjYxMDMw
        MDQwNjQzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAR30xHhRK7KOymHxqG/tnP0A0MIUghdbG0lN1Oi6cA9ZuuxEnXRrmjW
        Nn5/k0ZWmeKiRLuvu8I3onM1246Gz7gjo2kwZzAdBgNVHQ4EFgQUZZXaPfBYHLMU
        OdebEsREFXh4DDwwHwYDVR0jBBgwFoAUZZXaPfBYHLMUOdebEsREFXh4DDwwDwYD
        VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
        RwAwRAIgfxTdB5Jsms9zPiCSEUHIaugp6SmrNFAALogx2hl3v4YCIC8d8neREW4c
        w0rWrN1ud3XdnlSBXtnkncyFY3d5nUjA
        -----END CERTIFICATE-----

        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiQmFceNSaOWRXCO6
        XetgLdq1IeGq1mDVgw64ssbpyPahRANCAAR30xHhRK7KOymHxqG/tnP0A0MIUghd
        bG0lN1Oi6cA9ZuuxEnXRrmjWNn5/k0ZWmeKiRLuvu8I3onM1246Gz7gj
        -----END PRIVATE KEY-----

        """
}
