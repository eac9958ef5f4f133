//! Withdrawals, each with the caller's `requestId`: one that was used gives back what it made.

use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::Visit;
use crate::sandbox::moves::{Kind, Move};
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

const FEE: &str = "4";

pub fn chains(symbol: &str) -> Value {
    json!([{"chain": "ETH", "chainType": "ERC20", "coin": symbol, "withdrawFee": FEE, "withdrawPercentageFee": "0",
            "withdrawMin": "10", "minAccuracy": "6", "chainWithdraw": "1", "chainDeposit": "1"}])
}

pub fn withdraw(visit: &Visit) -> Result<Value, Refusal> {
    let body: Value = serde_json::from_str(visit.call.text()).map_err(|_| Refusal::BadParameter("body"))?;
    let text = |name: &'static str| body[name].as_str().map(str::to_owned).ok_or(Refusal::BadParameter(name));
    let reference = body["requestId"].as_str().map(str::to_owned);
    let mut moves = visit.moves();
    let used = reference
        .is_some()
        .then(|| moves.of(visit.account).iter().find(|moved| moved.reference == reference));
    if let Some(used) = used.flatten() {
        return Ok(json!({"id": used.id}));
    }
    let amount: Amount = text("amount")?.parse().map_err(|_| Refusal::BadParameter("amount"))?;
    let fee: Amount = FEE.parse().unwrap_or(Amount::ZERO);
    // Without `feeType` the amount arrives, and the fee comes on top.
    let debited = if body["feeType"] == 1 { amount } else { amount.plus(fee) };
    let moved = Move {
        id: String::new(),
        reference,
        kind: Kind::Withdrawal,
        symbol: text("coin")?,
        amount: debited,
        fee,
        from: if text("accountType")? == "FUND" { "funding" } else { "unified" }.to_owned(),
        to: None,
        address: text("address")?,
        network: text("chain")?,
        at: visit.call.now,
    };
    let moved = moves.make(visit.account, moved)?;
    Ok(json!({"id": moved.id}))
}

pub fn records(visit: &Visit) -> Result<Value, Refusal> {
    let wanted = visit.call.param("withdrawID");
    let moves = visit.moves();
    let rows =
        moves.of(visit.account).iter().filter(|moved| wanted.as_ref().is_none_or(|id| *id == moved.id));
    let row = |moved: &Move| {
        json!({
            "withdrawId": moved.id, "coin": moved.symbol, "chain": moved.network, "status": "success",
            "amount": moved.amount.minus(moved.fee).unwrap_or(Amount::ZERO).to_string(),
            "withdrawFee": moved.fee.to_string(), "toAddress": moved.address, "withdrawType": 0, "tag": "",
            "txID": format!("0x{}", moved.id.replace('-', "")), "createTime": moved.at.to_string(),
            "updateTime": moved.at.to_string(),
        })
    };
    Ok(json!({"rows": rows.map(row).collect::<Vec<_>>(), "nextPageCursor": ""}))
}
