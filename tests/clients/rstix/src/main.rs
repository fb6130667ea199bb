//! Every call of the `rstix` TAXII client, one line of output each.
//!
//! `rstix-client BASE COLLECTION BUNDLE_FILE basic USER` (password in `TAXII_PASSWORD`)
//! `rstix-client BASE COLLECTION BUNDLE_FILE bearer` (token in `TAXII_TOKEN`)
//! `rstix-client BASE COLLECTION BUNDLE_FILE certificate CERT.pem KEY.pem`
//! `rstix-client BASE COLLECTION BUNDLE_FILE pkcs12 FILE.p12` (password in `TAXII_PASSWORD`)
//! With TLS the pin of the server's key is in `TAXII_SPKI_SHA256` (hexadecimal).

use std::env;
use std::error::Error;

use futures::StreamExt;
use rstix::core::StixId;
use rstix::model::Bundle;
use rstix::taxii::{
    BasicAuth, BearerAuth, ClientCertificate, DeleteObjectFilter, ObjectByIdFilter, ServerTrustPolicy, SpkiPin,
    TaxiiClient, TaxiiClientConfig, TaxiiEnvelope, TaxiiFilter, VersionFilter, VersionsQueryFilter,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [base, collection, bundle, how, rest @ ..] = arguments.as_slice() else {
        return Err("usage: rstix-client BASE COLLECTION BUNDLE HOW ...".into());
    };
    let client = TaxiiClient::new(configured(base, how, rest)?)?;
    let bundle = std::fs::read_to_string(bundle)?;
    exchange(&client, collection, &bundle).await
}

fn configured(base: &str, how: &str, rest: &[String]) -> Outcome<TaxiiClientConfig> {
    let mut config = TaxiiClientConfig::new(base).allow_insecure_http(base.starts_with("http:"));
    if let Ok(pin) = env::var("TAXII_SPKI_SHA256") {
        config = config.server_trust(ServerTrustPolicy::PinnedSpkiOnly(vec![SpkiPin::from_hex(&pin)?]));
    }
    let argument = |n: usize| rest.get(n).ok_or("an argument is missing");
    Ok(match how {
        "basic" => config.auth(BasicAuth::new(argument(0)?.clone(), env::var("TAXII_PASSWORD")?)),
        "bearer" => config.auth(BearerAuth::new(env::var("TAXII_TOKEN")?)),
        "certificate" => {
            let (cert, key) = (std::fs::read(argument(0)?)?, std::fs::read(argument(1)?)?);
            config.client_certificate(ClientCertificate::from_pem(&cert, &key)?)
        }
        "pkcs12" => {
            let archive = std::fs::read(argument(0)?)?;
            config.client_certificate(ClientCertificate::from_pkcs12_der(archive, env::var("TAXII_PASSWORD")?)?)
        }
        other => return Err(format!("unknown way to authenticate: `{other}`").into()),
    })
}

/// Puts the bundle's objects in and asks for them in every way the client knows.
async fn exchange(client: &TaxiiClient, collection: &str, bundle: &str) -> Outcome<()> {
    let bundle = Bundle::parse(bundle)?;
    let total = bundle.objects().len();
    let found = client.discover().await?;
    let root = found.default_api_root().ok_or("discovery names no default API root")?.to_owned();
    println!("ok discovery {root}");
    println!("ok api-root {}", client.api_root(&root).await?.title);
    let listed = client.collections(&root).await?;
    ensure(listed.iter().any(|c| c.id == collection), "the collection is not listed")?;
    println!("ok collections {}", listed.len());

    let status = client.add_objects(&root, collection, &TaxiiEnvelope::new(bundle.objects().to_vec())).await?;
    ensure(status.success_count as usize == total, &format!("status: {status:?}"))?;
    println!("ok add {}", status.total_count);
    let again = client.get_status(&root, &status.id).await?;
    ensure(again.id == status.id, "another status came back")?;
    println!("ok status");

    let objects = collect(client.objects_stream(root.as_str(), collection, TaxiiFilter::new().limit(2))).await?;
    ensure(objects.len() == total, &format!("objects: {} of {total}", objects.len()))?;
    println!("ok objects {}", objects.len());
    let manifest = collect(client.manifest_stream(root.as_str(), collection, TaxiiFilter::new().limit(2))).await?;
    ensure(manifest.len() == total, &format!("manifest: {} of {total}", manifest.len()))?;
    println!("ok manifest {}", manifest.len());

    let id = StixId::parse(&manifest.first().ok_or("an empty manifest")?.id)?;
    let one = client.get_object(&root, collection, &id, ObjectByIdFilter::new()).await?;
    ensure(one.value.objects.len() == 1, "one object expected")?;
    ensure(one.headers.date_added_first.is_some(), "no date header")?;
    println!("ok object {id}");
    let only = client.objects(&root, collection, TaxiiFilter::new().object_id(id.clone())).await?;
    ensure(only.value.objects.len() == 1, "match[id]")?;
    println!("ok match-id");
    let versions = client.object_versions(&root, collection, &id, VersionsQueryFilter::new()).await?;
    ensure(versions.value.versions.len() == 1, "one version expected")?;
    println!("ok versions");

    client.delete_object(&root, collection, &id, DeleteObjectFilter::from(VersionFilter::All)).await?;
    ensure(client.get_object(&root, collection, &id, ObjectByIdFilter::new()).await.is_err(), "still there")?;
    println!("ok delete");
    ensure(client.collection(&root, "00000000-0000-4000-8000-000000000000").await.is_err(), "a collection out of nothing")?;
    println!("ok unknown-collection");
    Ok(())
}

async fn collect<T>(
    mut stream: impl futures::Stream<Item = Result<T, rstix::taxii::TaxiiError>> + Unpin,
) -> Outcome<Vec<T>> {
    let mut all = Vec::new();
    while let Some(next) = stream.next().await {
        all.push(next?);
    }
    Ok(all)
}

fn ensure(condition: bool, what: &str) -> Outcome<()> {
    if condition { Ok(()) } else { Err(what.to_owned().into()) }
}
