# RTE, "Declaring a primary administrator": the company must have a contract and an EIC code.
Given Forges is a company
When the operator declares Zoe first administrator of Forges -> NoContract
Given Forges has the contract CART-1
When the operator declares Zoe first administrator of Forges -> NoEicCode
Given Forges has an EIC code of type X
When the operator declares Zoe first administrator of Forges
Then the invitation of Zoe is pending
Then the history of Forges says first_administrator.declared of Forges by Olivier
