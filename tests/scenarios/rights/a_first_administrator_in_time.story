# The link is good for three days; then the person manages the company alone.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type X
When the operator declares Zoe first administrator of Forges
When 2 days pass
When Zoe opens the last link
Then Zoe administers Forges now
Then the invitation of Zoe is accepted
When Zoe invites Yann to Forges
Then the invitation of Yann is pending
