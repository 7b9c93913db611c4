# A contract that ended yesterday, or begins tomorrow, is not in force.
Given Forges is a company
Given Forges has an EIC code of type X
Given Forges has the contract CART-1 from 2020-01-01 to 2026-11-25
Given Forges has the contract CART-2 from 2026-11-26 to 2030-01-01
When the operator declares Zoe first administrator of Forges -> NoContract
When 1 day pass
When the operator declares Zoe first administrator of Forges
Then the invitation of Zoe is pending
